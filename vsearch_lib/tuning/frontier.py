"""Choosing among measurements: those that no other beats, and the fastest that recalls enough."""

from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar

from vsearch_lib.tuning.measurement import Measured


class Measurable(Protocol):
    """Anything with recall and latency."""

    @property
    def measured(self) -> Measured:
        """Its recall and latency."""


Item = TypeVar("Item", bound=Measurable)


def cheapest(items: Iterable[Item], *, min_recall: float) -> Item | None:
    """Return the item of lowest median latency among those with recall@10 of at least `min_recall`, None if none has.

    Of equally fast items it is the one with the highest recall.
    """
    enough = [item for item in items if item.measured.recall_at_10.mean >= min_recall]
    return min(enough, key=lambda item: (item.measured.median_ms, -item.measured.recall_at_10.mean), default=None)


def most_exact(items: Iterable[Item]) -> Item:
    """Return the item of highest recall@10; of several, the one with the lowest median latency."""
    return max(items, key=lambda item: (item.measured.recall_at_10.mean, -item.measured.median_ms))


def unbeaten(costs: Sequence[Sequence[float]]) -> list[bool]:
    """Return for each row of costs whether no other row has lower or equal costs throughout and one lower cost."""
    return [not any(_beats(other, cost) for other in costs) for cost in costs]


def _beats(other: Sequence[float], cost: Sequence[float]) -> bool:
    return all(a <= b for a, b in zip(other, cost, strict=True)) and tuple(other) != tuple(cost)
