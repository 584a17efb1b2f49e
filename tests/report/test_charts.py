"""A curve and its band are placed by their values, and its labels do not overlap."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.elements import Elements, section
from vsearch_lib.report.charts import HEIGHT, WIDTH, Chart, Point, fitted, round_step
from vsearch_lib.report.page import render

CURVE = Chart("How far", [Point(1, 1.0, 1.0, 1.0), Point(2, 0.5, 0.25, 0.75), Point(5, 0.0, 0.0, 0.25)], "position")


def heights(chart: Chart) -> list[str]:
    return [text for _, text in chart.heights]


def test_a_curve_goes_from_left_to_right_and_1_is_at_the_top():
    assert CURVE.line == "0.0,0.0 85.0,75.0 340.0,150.0"


def test_the_band_goes_along_the_upper_end_and_back_along_the_lower():
    assert CURVE.band == "0.0,0.0 85.0,37.5 340.0,112.5 340.0,150.0 85.0,112.5 0.0,0.0"


def test_a_page_holds_its_charts_and_says_their_points_in_words():
    page = Elements(section(render("title", "", [], [], [CURVE]), "How far"))
    assert page.named("polyline")[0]["points"] == CURVE.line
    assert [circle["cx"] for circle in page.named("circle")] == ["0.0", "85.0", "340.0"]
    assert "2: 0.5 (0.25 to 0.75)" in page.text
    assert page.named("svg")[0]["aria-label"] == (
        "How far, 3 points: from 1: 1 to 5: 0 (0 to 0.25); lowest 0, highest 1"
    )


@pytest.mark.parametrize(
    ("bottom", "top", "labels"),
    [
        (0, 1, ["0", "0.25", "0.5", "0.75", "1"]),
        (0, 4, ["0", "1", "2", "3", "4"]),
        (0.7, 1, ["0.7", "0.8", "0.9", "1"]),
        (-0.02, 0.02, ["-0.02", "-0.01", "0", "0.01", "0.02"]),
        (0, 8_000, ["0", "2,000", "4,000", "6,000", "8,000"]),
        (0, 1_000_000, ["0", "250k", "500k", "750k", "1M"]),
    ],
)
def test_the_vertical_axis_has_round_labels_from_the_bottom_to_the_top(bottom, top, labels):
    chart = Chart("", CURVE.points, "", bottom=bottom, top=top)
    assert heights(chart) == labels
    assert chart.heights[0][0] == f"{HEIGHT:.1f}"
    assert float(chart.heights[-1][0]) == pytest.approx(0, abs=0.05)


def test_a_curve_above_1_is_placed_by_the_value_at_the_top():
    assert (
        Chart("Loss", [Point(1, 4.0, 4.0, 4.0), Point(2, 1.0, 1.0, 1.0)], "epoch", top=4).line == "0.0,0.0 340.0,112.5"
    )


@settings(deadline=None)
@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=30), st.floats(0, 100))
def test_the_frame_of_a_fitted_chart_holds_every_point_and_its_interval(values, half):
    chart = fitted("", [Point(n, value, value - half, value + half) for n, value in enumerate(values)], "")
    places = [float(place.split(",")[1]) for place in (chart.line + " " + chart.band).split()]
    assert min(places) >= -0.1
    assert max(places) <= HEIGHT + 0.1
    assert 2 <= len(chart.heights) <= 8


def test_a_fitted_chart_of_one_value_has_it_inside():
    for value in (0.0, 0.5, -3.0, 2000.0):
        chart = fitted("", [Point(0, value, value, value), Point(1, value, value, value)], "")
        assert chart.bottom <= value <= chart.top
        assert chart.bottom < chart.top


@pytest.mark.parametrize(("least", "step"), [(0.3, 0.5), (0.25, 0.25), (1, 1), (1.1, 2), (26, 50), (0.0021, 0.0025)])
def test_a_round_step_is_the_next_of_1_2_25_and_5(least, step):
    assert round_step(least) == pytest.approx(step)


@settings(deadline=None)
@given(st.lists(st.integers(0, 400), min_size=2, max_size=60, unique=True), st.integers(1, 12))
def test_labels_of_the_horizontal_axis_never_overlap_and_the_first_and_last_are_there(days, length):
    points = [Point(day, 0.5, 0.5, 0.5, "x" * length) for day in sorted(days)]
    labels = Chart("", points, "").labels
    assert (labels[0].x, labels[0].anchor, labels[-1].x, labels[-1].anchor) == (0, "start", WIDTH, "end")
    shift = {"start": 0, "middle": 0.5, "end": 1}
    edges = [
        (label.x - shift[label.anchor] * 7 * length, label.x + (1 - shift[label.anchor]) * 7 * length)
        for label in labels
    ]
    assert all(left[1] < right[0] for left, right in pairwise(edges))
