"""Tables and charts are aligned text."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vsearch_lib.report.charts import Chart, Point
from vsearch_lib.report.page import Table
from vsearch_lib.report.text import as_text, chart_as_text


def test_text_is_aligned_in_columns_with_words_left_and_numbers_right():
    table = Table(["name", "ms"], [["a", "1.5"], ["longer", "10.25"]], title="Title", note="note")
    assert as_text(table).splitlines() == [
        "Title",
        "name       ms",
        "a         1.5",
        "longer  10.25",
        "note",
    ]


def test_a_table_without_title_and_note_has_no_empty_lines():
    assert as_text(Table(["name", "ms"], [["a", "1"]])).splitlines() == ["name  ms", "a      1"]


def chart(values: list[float], first: int = 0) -> Chart:
    return Chart("loss", [Point(first + i, value, value, value) for i, value in enumerate(values)], "epoch")


def test_a_chart_has_columns_as_high_as_its_values():
    """Six lines of eight eighths: 1 is one eighth high, 48 is all of them, 24 and 25 meet in the middle."""
    assert chart_as_text(chart([48, 25, 24, 1])).splitlines() == [
        "loss",
        "48.000 │███",
        "       │███",
        "       │███▁▁▁",
        "       │█████████",
        "       │█████████",
        " 1.000 │█████████▁▁▁",
        "        0          3  epoch",
    ]


def test_a_chart_of_equal_values_is_flat():
    *_, last, axis = chart_as_text(chart([0.5, 0.5], first=1)).splitlines()
    assert (last, axis) == ("0.500 │▁▁▁▁▁▁", "       1    2  epoch")


@given(st.lists(st.floats(0, 100), min_size=2, max_size=500))
def test_a_chart_of_any_curve_fits_a_terminal_and_reaches_its_highest_value(values):
    lines = chart_as_text(chart(values)).splitlines()
    assert len(lines) == 8
    assert max(map(len, lines)) <= 80
    if max(values) - min(values) > 0.01 and len(values) <= 60:
        assert "█" in lines[1]


def test_a_long_chart_keeps_its_first_and_its_last_point():
    lines = chart_as_text(chart([1.0, *[0.0] * 998, 1.0])).splitlines()
    assert lines[1] == "1.000 │█" + " " * 58 + "█"
    assert lines[-1].split() == ["0", "999", "epoch"]
