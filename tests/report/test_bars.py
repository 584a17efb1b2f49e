"""The length of a bar is its figure, and labels have room."""

from __future__ import annotations

from tests.support.elements import Elements
from vsearch_lib.report.bars import Bar, Bars, Counts
from vsearch_lib.report.page import Section, render_sections


def drawn(block: Bars | Counts) -> Elements:
    return Elements(render_sections("T", [], [Section("", [block])]).split("<main>")[1])


def bars(*values: float, **more) -> Bars:
    return Bars("Title", "a unit", [Bar(f"bar {n}", value, f"{value:g}") for n, value in enumerate(values)], **more)


def test_the_length_of_a_lying_bar_is_its_figure_and_the_longest_is_full():
    assert [float(rect["width"]) for rect in drawn(bars(0.4, 0.1)).named("rect")] == [160, 40]


def test_the_height_of_an_upright_bar_is_its_figure():
    assert [float(rect["height"]) for rect in drawn(bars(30, 15, upright=True)).named("rect")] == [140, 70]


def test_a_full_bar_is_the_given_top():
    assert [float(rect["width"]) for rect in drawn(bars(0.25, 0.5, top=1)).named("rect")] == [40, 80]


def test_figures_labels_and_units_are_text():
    assert {"Title", "a unit", "bar 0", "bar 1", "3", "4"} <= set(drawn(bars(3, 4)).text)
    assert drawn(bars(3, 4)).named("svg")[0]["aria-label"] == "Title, a unit: bar 0 3; bar 1 4"


def test_many_bars_get_a_few_labels_and_the_highest_figure():
    days = [Bar(f"2026-11-{n:02d}", n, f"{n}") for n in range(1, 31)]
    chart = drawn(Bars("Uploads", "images a day", days, upright=True))
    assert len(chart.named("rect")) == 30
    labels = [text for text in chart.text if text.startswith("2026") and ":" not in text]
    assert labels == ["2026-11-01", "2026-11-09", "2026-11-17", "2026-11-25"]
    assert chart.text.count("30") == 1


def test_bars_without_figures_say_so():
    chart = drawn(bars())
    assert "nothing yet" in chart.text
    assert not chart.named("svg")


def test_bars_that_are_all_zero_have_no_length():
    assert [rect["width"] for rect in drawn(bars(0, 0)).named("rect")] == ["0.0", "0.0"]


def test_counts_are_numbers_with_their_words():
    assert drawn(Counts([("2,000", "images"), ("87", "queries")])).text == ["images", "2,000", "queries", "87"]
