"""Weeks are those of ISO 8601, months those of the calendar, and neither goes beyond the last day."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from vsearch_lib.measure.online.periods import periods_of


def test_the_periods_of_a_window_over_the_new_year():
    found = {period.name: (period.first, period.last) for period in periods_of(date(2025, 12, 31), date(2026, 1, 5))}
    assert found == {
        "all": (date(2025, 12, 31), date(2026, 1, 5)),
        **{f"day {day}": (day, day) for day in (date(2025, 12, 31) + timedelta(n) for n in range(6))},
        "week 2026-W01": (date(2025, 12, 29), date(2026, 1, 4)),
        "week 2026-W02": (date(2026, 1, 5), date(2026, 1, 5)),
        "month 2025-12": (date(2025, 12, 1), date(2025, 12, 31)),
        "month 2026-01": (date(2026, 1, 1), date(2026, 1, 5)),
    }


@given(st.dates(date(2000, 1, 1), date(2099, 1, 1)), st.integers(0, 100))
def test_every_day_of_the_window_is_in_one_week_and_in_one_month(first, length):
    last = first + timedelta(days=length)
    periods = periods_of(first, last)
    for kind in ("day", "week", "month"):
        days = [day for period in periods if period.name.startswith(kind) for day in period.days]
        assert len(days) == len(set(days))
        assert set(days) >= set(periods[0].days)
        assert max(days) == last
