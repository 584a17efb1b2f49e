"""Plots of recall against latency, with a line through the unbeaten dots of a series."""

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from vsearch_lib.report.scatter import Dot, Scatter, Series
from vsearch_lib.tuning.frontier import unbeaten
from vsearch_lib.tuning.measurement import Measured
from vsearch_lib.tuning.methods import Trial
from vsearch_lib.tuning.sweep import Point

_AXES = "median ms of one query to the right, recall@10 upwards; hollow: scored by codes only"

Item = TypeVar("Item")


def sweep_plot(points: Sequence[Point]) -> Scatter:
    """Return the published version's operating points, with a series for each length of the shortlist."""

    def kind(point: Point) -> str:
        return f"shortlist {point.setting.shortlist}"

    def dot(point: Point) -> Dot:
        return _dot(point.measured, f"nprobe {point.setting.nprobe}, {kind(point)}")

    return Scatter("The published version", _series(points, kind, dot), _AXES)


def family_plots(trials: Sequence[Trial]) -> list[Scatter]:
    """Return a plot of all families, and one of the methods of the published family, clustering."""
    clustering = [trial for trial in trials if trial.method.family == "clustering"]
    return [
        Scatter("Families", _series(trials, lambda trial: trial.method.family, _trial_dot), _AXES),
        Scatter("Clustering", _series(clustering, lambda trial: trial.method.name, _trial_dot), _AXES),
    ]


def frontier_line(dots: Sequence[Dot]) -> list[Dot]:
    """Return the dots that no other one beats, fastest first."""
    best = unbeaten([(dot.x, -dot.y) for dot in dots])
    return sorted((dot for dot, is_best in zip(dots, best, strict=True) if is_best), key=lambda dot: dot.x)


def _series(items: Iterable[Item], kind: Callable[[Item], str], dot: Callable[[Item], Dot]) -> list[Series]:
    dots_of: dict[str, list[Dot]] = {}
    for item in items:
        dots_of.setdefault(kind(item), []).append(dot(item))
    return [Series(name, dots, frontier_line(dots)) for name, dots in dots_of.items()]


def _trial_dot(trial: Trial) -> Dot:
    return _dot(
        trial.measured,
        " ".join([trial.method.name, trial.label]),
        hollow=trial.method.compressed and not trial.rescored,
    )


def _dot(measured: Measured, label: str, *, hollow: bool = False) -> Dot:
    recall = measured.recall_at_10.mean
    return Dot(measured.median_ms, recall, f"{label}: {recall:.3f} in {measured.median_ms:.3f} ms", hollow)
