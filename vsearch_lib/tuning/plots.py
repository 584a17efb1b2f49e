"""Plots of recall against latency: the position of each dot, and the line through the unbeaten dots of a series."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from vsearch_lib.tuning.frontier import unbeaten
from vsearch_lib.tuning.measurement import Measured
from vsearch_lib.tuning.methods import Trial
from vsearch_lib.tuning.sweep import Point

WIDTH, HEIGHT = 640, 360  # of a plot, px
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 16, 12, 40  # margins, px
_ROUND = [float(f"{digit}e{power}") for power in range(-5, 6) for digit in (1, 2, 5)]  # ms

Item = TypeVar("Item")


@dataclass(frozen=True)
class Dot:
    """One measurement; it is hollow if only codes were scored."""

    ms: float
    recall: float
    label: str
    hollow: bool = False


@dataclass(frozen=True)
class Series:
    """Dots of one kind."""

    name: str
    dots: Sequence[Dot]

    @property
    def line(self) -> list[Dot]:
        """The dots that no other dot of the series beats, fastest first."""
        best = unbeaten([(dot.ms, -dot.recall) for dot in self.dots])
        return sorted((dot for dot, is_best in zip(self.dots, best, strict=True) if is_best), key=lambda dot: dot.ms)


@dataclass(frozen=True)
class Plot:
    """Median milliseconds of a query to the right (logarithmic), recall@10 upwards."""

    title: str
    series: Sequence[Series]

    def x(self, ms: float) -> float:
        """Return the position of a latency, px from the left."""
        low, high = (math.log10(edge) for edge in self._edges())
        return _LEFT + (WIDTH - _LEFT - _RIGHT) * (math.log10(ms) - low) / (high - low)

    def y(self, recall: float) -> float:
        """Return the position of a recall, px from the top."""
        return HEIGHT - _BOTTOM - (HEIGHT - _TOP - _BOTTOM) * (recall - self._floor()) / (1 - self._floor())

    @property
    def latencies(self) -> list[float]:
        """The milliseconds that label the axis: 1, 2 and 5 times each power of ten."""
        low, high = self._edges()
        return [value for value in _ROUND if low <= value <= high]

    @property
    def recalls(self) -> list[float]:
        """The recalls that label the axis."""
        return [tenth / 10 for tenth in range(round(10 * self._floor()), 11)]

    def _edges(self) -> tuple[float, float]:
        measured = [dot.ms for series in self.series for dot in series.dots]
        low = max((value for value in _ROUND if value <= min(measured)), default=_ROUND[0])
        return low, min((value for value in _ROUND if value > max(measured)), default=_ROUND[-1])

    def _floor(self) -> float:
        lowest = min(dot.recall for series in self.series for dot in series.dots)
        return min(math.floor(10 * lowest), 9) / 10


def sweep_plot(points: Sequence[Point]) -> Plot:
    """Return the published version's operating points, with a series for each length of the shortlist."""

    def kind(point: Point) -> str:
        return f"shortlist {point.setting.shortlist}"

    def dot(point: Point) -> Dot:
        return _dot(point.measured, f"nprobe {point.setting.nprobe}, {kind(point)}")

    return Plot("The published version", _series(points, kind, dot))


def family_plots(trials: Sequence[Trial]) -> list[Plot]:
    """Return a plot of all families, and one of the methods of the published family, clustering."""
    clustering = [trial for trial in trials if trial.method.family == "clustering"]
    return [
        Plot("Families", _series(trials, lambda trial: trial.method.family, _trial_dot)),
        Plot("Clustering", _series(clustering, lambda trial: trial.method.name, _trial_dot)),
    ]


def _series(items: Iterable[Item], kind: Callable[[Item], str], dot: Callable[[Item], Dot]) -> list[Series]:
    dots_of: dict[str, list[Dot]] = {}
    for item in items:
        dots_of.setdefault(kind(item), []).append(dot(item))
    return [Series(name, dots) for name, dots in dots_of.items()]


def _trial_dot(trial: Trial) -> Dot:
    return _dot(
        trial.measured,
        " ".join([trial.method.name, trial.label]),
        hollow=trial.method.compressed and not trial.rescored,
    )


def _dot(measured: Measured, label: str, *, hollow: bool = False) -> Dot:
    recall = measured.recall_at_10.mean
    return Dot(measured.median_ms, recall, f"{label}: {recall:.3f} in {measured.median_ms:.3f} ms", hollow)
