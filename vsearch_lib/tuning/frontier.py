"""Which of what was measured is worth having: what nothing else beats, and the cheapest that is good enough."""

from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar

from vsearch_lib.tuning.measurement import Measured


class Measurable(Protocol):
    """Anything with recall and latency."""

    @property
    def measured(self) -> Measured:
        """Its recall and latency."""


Thing = TypeVar("Thing", bound=Measurable)


def cheapest(found: Iterable[Thing], *, min_recall: float) -> Thing | None:
    """Return the one of lowest median latency whose recall@10 is at least `min_recall`, None where none is so good."""
    enough = [thing for thing in found if thing.measured.recall_at_10.mean >= min_recall]
    return min(enough, key=lambda thing: (thing.measured.median_ms, -thing.measured.recall_at_10.mean), default=None)


def most_exact(found: Iterable[Thing]) -> Thing:
    """Return the one of highest recall@10, the cheapest of them where there are several."""
    return max(found, key=lambda thing: (thing.measured.recall_at_10.mean, -thing.measured.median_ms))


def unbeaten(costs: Sequence[Sequence[float]]) -> list[bool]:
    """Return for each row of costs whether no other is at most as high in all of them and lower in one."""
    return [not any(_beats(other, cost) for other in costs) for cost in costs]


def _beats(other: Sequence[float], cost: Sequence[float]) -> bool:
    return all(a <= b for a, b in zip(other, cost, strict=True)) and tuple(other) != tuple(cost)
