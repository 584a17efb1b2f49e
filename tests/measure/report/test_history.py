"""The history of a figure is drawn over runs, or over the days that it is about."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from vsearch_lib.figures import Figure
from vsearch_lib.lake.metrics import Recorded
from vsearch_lib.measure.report.history import POINTS, history_charts
from vsearch_lib.measure.report.topics import Line

FIRST = datetime(2026, 11, 1, 4, 0, tzinfo=UTC)
NDCG = Line("ndcg_at_10", "published index", "nDCG@10")
CLICKS = Line("click_through_rate", "all", "Click-through rate")


def night(n: int, figure: Figure) -> Recorded:
    return Recorded(figure, figure.subject, f"run-{n}", FIRST + timedelta(days=n))


def ndcg(value: float, **more) -> Figure:
    return Figure("ndcg_at_10", value, subject="published index", **more)


def test_a_figure_of_runs_has_a_point_for_each_run_with_its_interval():
    found = [night(0, ndcg(0.5)), night(1, ndcg(0.75, low=0.5, high=0.875)), night(1, Figure("mrr", 1.0))]
    [chart] = history_charts([NDCG], found)
    assert (chart.title, chart.x_label) == ("nDCG@10", "by run")
    assert [(p.value, p.low, p.high, p.label) for p in chart.points] == [
        (0.5, 0.5, 0.5, "2026-11-01 04:00"),
        (0.75, 0.5, 0.875, "2026-11-02 04:00"),
    ]
    assert chart.points[1].x - chart.points[0].x == 1


def test_over_several_days_the_labels_are_days():
    [chart] = history_charts([NDCG], [night(n, ndcg(0.5)) for n in range(3)])
    assert [point.label for point in chart.points] == ["2026-11-01", "2026-11-02", "2026-11-03"]


def test_one_point_makes_no_chart():
    assert history_charts([NDCG], [night(0, ndcg(0.5))]) == []


def test_a_figure_of_days_has_a_point_for_each_day_as_it_was_recorded_last():
    found = [
        night(1, Figure("click_through_rate", 0.10, slice="2026-11-01")),
        night(1, Figure("click_through_rate", 0.15)),
        night(2, Figure("click_through_rate", 0.12, slice="2026-11-01")),
        night(2, Figure("click_through_rate", 0.20, slice="2026-11-02")),
        night(2, Figure("click_through_rate", 0.16)),
    ]
    [chart] = history_charts([CLICKS], found)
    assert chart.x_label == "by day"
    assert [(p.x, p.value, p.label) for p in chart.points] == [
        (date(2026, 11, 1).toordinal(), 0.12, "2026-11-01"),
        (date(2026, 11, 2).toordinal(), 0.20, "2026-11-02"),
    ]


def test_days_weeks_and_months_are_charts_of_their_own():
    slices = ("day 2026-11-01", "day 2026-11-02", "week 2026-W45", "week 2026-W46", "month 2026-10", "month 2026-11")
    found = [night(9, Figure("click_through_rate", 0.1, slice=name)) for name in slices]
    assert [(chart.x_label, len(chart.points)) for chart in history_charts([CLICKS], found)] == [
        ("by day", 2),
        ("by week", 2),
        ("by month", 2),
    ]


def test_few_slices_are_drawn_each_and_many_only_as_a_whole():
    few = [night(n, ndcg(0.5, slice=name)) for n in (0, 1) for name in ("all", "whole", "crop")]
    assert [chart.title for chart in history_charts([NDCG], few)] == ["nDCG@10", "nDCG@10, whole", "nDCG@10, crop"]
    many = [night(n, ndcg(0.5, slice=name)) for n in (0, 1) for name in ("all", *map(str, range(9)))]
    assert [chart.title for chart in history_charts([NDCG], many)] == ["nDCG@10"]


def test_kinds_of_a_pattern_are_drawn_apart_and_named():
    line = Line("energy_distance", "*", "Distance")
    found = [night(n, Figure("energy_distance", 0.1, subject=name)) for n in (0, 1) for name in ("uploads", "queries")]
    assert [chart.title for chart in history_charts([line], found)] == ["Distance, uploads", "Distance, queries"]


def test_a_long_history_keeps_its_newest_points():
    [chart] = history_charts([NDCG], [night(n, ndcg(n / 500)) for n in range(POINTS + 7)])
    assert len(chart.points) == POINTS
    assert chart.points[-1].value == (POINTS + 6) / 500
