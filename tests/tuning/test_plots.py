"""Latency and recall give the position of a dot, and a line joins the unbeaten dots of a series."""

from __future__ import annotations

import pytest

from vsearch_lib.artefact.gate_report import Recall
from vsearch_lib.artefact.manifest import OperatingPoint
from vsearch_lib.tuning.measurement import Measured
from vsearch_lib.tuning.methods import Method, Trial
from vsearch_lib.tuning.plots import HEIGHT, WIDTH, Dot, Plot, Series, family_plots, sweep_plot
from vsearch_lib.tuning.sweep import Point


def plot(*dots: tuple[float, float]) -> Plot:
    return Plot("title", [Series("all", [Dot(ms, recall, "") for ms, recall in dots])])


def test_each_power_of_ten_has_the_same_width():
    wide = plot((0.1, 0.5), (9, 1.0))  # the axis goes from 0.1 to 10
    assert [wide.latencies[0], wide.latencies[-1]] == [0.1, 10]
    assert wide.x(1) == pytest.approx((wide.x(0.1) + wide.x(10)) / 2)
    assert 0 < wide.x(0.1) < wide.x(10) < WIDTH
    assert wide.latencies == [0.1, 0.2, 0.5, 1, 2, 5, 10]


def test_recall_goes_up_evenly_from_the_tenth_below_the_lowest_to_one():
    high = plot((1, 0.55), (2, 0.99))
    assert high.recalls == [0.5, 0.6, 0.7, 0.8, 0.9, 1.0]
    assert HEIGHT > high.y(0.5) > high.y(1) > 0
    assert high.y(0.75) == pytest.approx((high.y(0.5) + high.y(1)) / 2)


@pytest.mark.parametrize("dots", [[(1.0, 1.0)], [(0.2, 0.0)], [(0.3, 0.7), (0.3, 0.7)], [(1e-4, 0.1), (9e4, 1.0)]])
def test_every_dot_is_within_the_plot(dots):
    drawing = plot(*dots)
    for ms, recall in dots:
        assert drawing.x(drawing.latencies[0]) <= drawing.x(ms) <= drawing.x(drawing.latencies[-1]) <= WIDTH
        assert 0 <= drawing.y(1) <= drawing.y(recall) <= drawing.y(drawing.recalls[0]) <= HEIGHT


def test_a_line_joins_the_unbeaten_dots_of_its_series_fastest_first():
    dots = [Dot(3, 0.9, "slow"), Dot(1, 0.5, "fast"), Dot(2, 0.4, "beaten"), Dot(2, 0.8, "between")]
    assert [dot.label for dot in Series("s", dots).line] == ["fast", "between", "slow"]


def measured(recall: float, ms: float) -> Measured:
    return Measured(Recall(recall, 0.0), ms, 2 * ms)


def test_operating_points_make_a_series_for_each_length_of_the_shortlist():
    points = [Point(OperatingPoint(n, s), measured(0.1 * n, 0.5)) for n in (1, 2) for s in (25, 100)]
    drawing = sweep_plot(points)
    assert [(series.name, len(series.dots)) for series in drawing.series] == [("shortlist 25", 2), ("shortlist 100", 2)]
    assert drawing.series[1].dots[1].label == "nprobe 2, shortlist 100: 0.200 in 0.500 ms"


def test_each_family_is_a_series_and_clustering_methods_have_a_plot_of_their_own():
    flat = Method("exact", "Flat", lambda vectors: None)
    ivf, pq = (Method("clustering", name, lambda vectors: None, "nprobe", (1,), name == "PQ") for name in ("IVF", "PQ"))
    trials = [
        Trial(flat, 0, False, measured(1, 9), 1, 0, 1),
        Trial(ivf, 1, False, measured(0.9, 1), 1, 0, 1),
        Trial(pq, 1, False, measured(0.5, 0.5), 1, 0, 1),
        Trial(pq, 1, True, measured(0.8, 0.7), 1, 2, 1),
    ]
    together, clustering = family_plots(trials)
    assert [(s.name, len(s.dots)) for s in together.series] == [("exact", 1), ("clustering", 3)]
    assert [s.name for s in clustering.series] == ["IVF", "PQ"]
    assert [dot.hollow for dot in clustering.series[1].dots] == [True, False]  # scored by codes only, and re-scored
    assert clustering.series[0].dots[0].hollow is False
    assert clustering.series[1].dots[1].label == "PQ nprobe 1, re-scored: 0.800 in 0.700 ms"
