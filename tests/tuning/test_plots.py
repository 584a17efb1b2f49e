"""Measurements become series of dots, and a line joins the unbeaten dots of a series."""

from __future__ import annotations

from vsearch_lib.artefact.gate_report import Recall
from vsearch_lib.artefact.manifest import OperatingPoint
from vsearch_lib.report.scatter import Dot
from vsearch_lib.tuning.measurement import Measured
from vsearch_lib.tuning.methods import Method, Trial
from vsearch_lib.tuning.plots import family_plots, frontier_line, sweep_plot
from vsearch_lib.tuning.sweep import Point


def test_a_line_joins_the_unbeaten_dots_of_its_series_fastest_first():
    dots = [Dot(3, 0.9, "slow"), Dot(1, 0.5, "fast"), Dot(2, 0.4, "beaten"), Dot(2, 0.8, "between")]
    assert [dot.label for dot in frontier_line(dots)] == ["fast", "between", "slow"]


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
