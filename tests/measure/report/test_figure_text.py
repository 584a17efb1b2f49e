"""Figures are written in enough digits, and slices of time are recognised."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vsearch_lib.figures import Figure
from vsearch_lib.measure.report.figure_text import cell_text, dated, value_text, words


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.97712, "0.977"),
        (1.0, "1"),
        (1960, "1,960"),
        (12345.6, "12,346"),
        (0.00345, "0.00345"),
        (-0.0412, "-0.0412"),
        (0, "0"),
        (1.9e-7, "1.9e-07"),
    ],
)
def test_a_value_has_at_least_three_digits_and_a_whole_number_all_of_its_digits(value, text):
    assert value_text(value) == text


@settings(deadline=None)
@given(st.floats(-1e9, 1e9))
def test_what_is_written_differs_from_the_value_by_less_than_half_a_percent(value):
    assert float(value_text(value).replace(",", "")) == pytest.approx(value, rel=0.005, abs=1e-300)


def test_a_cell_has_the_interval_and_a_missing_figure_is_a_dash():
    assert cell_text(Figure("ndcg", 0.5, low=0.4, high=0.6)) == "0.500 (0.400 to 0.600)"
    assert cell_text(Figure("ndcg", 0.5)) == "0.500"
    assert cell_text(None) == "–"


def test_names_of_metrics_become_words():
    assert words("recall_at_10") == "recall@10"
    assert words("click_through_rate") == "click through rate"


@pytest.mark.parametrize(
    ("slice_", "unit", "first"),
    [
        ("2026-11-30", "day", date(2026, 11, 30)),
        ("2026-W49", "week", date(2026, 11, 30)),
        ("2026-11", "month", date(2026, 11, 1)),
        ("week of 2026-11-30", "week of", date(2026, 11, 30)),
        ("month 2026-11", "month", date(2026, 11, 1)),
    ],
)
def test_days_weeks_and_months_are_recognised(slice_, unit, first):
    assert dated(slice_) == (unit, first)


@pytest.mark.parametrize(
    "slice_", ["all", "tag mug", "2026-13", "2026-02-30", "2026-W60", "1024 to 2047 px", "2026-11-30 x"]
)
def test_other_slices_are_no_days(slice_):
    assert dated(slice_) is None
