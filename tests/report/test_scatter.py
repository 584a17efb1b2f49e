"""Values give the place of a dot, and a series has a colour and a line."""

from __future__ import annotations

import pytest

from tests.support.elements import Elements
from vsearch_lib.report.page import Section, render_sections
from vsearch_lib.report.scatter import HEIGHT, WIDTH, Dot, Scatter, Series


def plot(*dots: tuple[float, float]) -> Scatter:
    return Scatter("title", [Series("all", [Dot(x, y, "") for x, y in dots])], "axes")


def test_each_power_of_ten_has_the_same_width():
    wide = plot((0.1, 0.5), (9, 1.0))  # the axis goes from 0.1 to 10
    assert [wide.across[0], wide.across[-1]] == [0.1, 10]
    assert wide.x(1) == pytest.approx((wide.x(0.1) + wide.x(10)) / 2)
    assert 0 < wide.x(0.1) < wide.x(10) < WIDTH
    assert wide.across == [0.1, 0.2, 0.5, 1, 2, 5, 10]


def test_the_vertical_axis_goes_up_evenly_from_the_tenth_below_the_lowest_to_one():
    high = plot((1, 0.55), (2, 0.99))
    assert high.up == [0.5, 0.6, 0.7, 0.8, 0.9, 1.0]
    assert HEIGHT > high.y(0.5) > high.y(1) > 0
    assert high.y(0.75) == pytest.approx((high.y(0.5) + high.y(1)) / 2)


@pytest.mark.parametrize("dots", [[(1.0, 1.0)], [(0.2, 0.0)], [(0.3, 0.7), (0.3, 0.7)], [(1e-4, 0.1), (9e4, 1.0)]])
def test_every_dot_is_within_the_plot(dots):
    drawing = plot(*dots)
    for ms, recall in dots:
        assert drawing.x(drawing.across[0]) <= drawing.x(ms) <= drawing.x(drawing.across[-1]) <= WIDTH
        assert 0 <= drawing.y(1) <= drawing.y(recall) <= drawing.y(drawing.up[0]) <= HEIGHT


def test_a_wide_plot_labels_powers_of_ten_only_so_that_labels_do_not_touch():
    wide = plot((0.002, 0.5), (400, 1.0))
    assert wide.across == [0.01, 0.1, 1, 10, 100]
    assert wide.edges == (wide.x(0.002), wide.x(500))


DOTS = [Dot(0.1, 0.5, "first", hollow=True), Dot(1.0, 0.9, "second"), Dot(2.0, 0.8, "beaten")]
DRAWN = Scatter("two", [Series("a", DOTS, DOTS[:2]), Series("b", [Dot(5.0, 1.0, "exact")])], "axes")


def test_each_measurement_is_a_dot_at_its_place_and_hollow_if_it_says_so():
    circles = Elements(render_sections("T", [], [Section("", [DRAWN])])).named("circle")
    assert [float(circle["cx"]) for circle in circles] == [pytest.approx(DRAWN.x(x), abs=0.1) for x in (0.1, 1, 2, 5)]
    assert [float(circle["cy"]) for circle in circles] == [
        pytest.approx(DRAWN.y(y), abs=0.1) for y in (0.5, 0.9, 0.8, 1)
    ]
    assert [circle["fill"] == "var(--card)" for circle in circles] == [True, False, False, False]


def test_lines_join_the_dots_of_the_line_and_each_series_has_its_own_colour():
    shown = Elements(render_sections("T", [], [Section("", [DRAWN])]))
    assert [len((line["points"] or "").split()) for line in shown.named("polyline")] == [2, 0]
    colours = [group["stroke"] for group in shown.named("g")]
    assert len(set(colours)) == 2
    assert [item["style"] for item in shown.named("i")] == [f"background: {colour}" for colour in colours]
