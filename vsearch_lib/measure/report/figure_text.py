"""How a figure is written in a table, and which day its slice is about."""

import re
from datetime import date, datetime

from vsearch_lib.figures import Figure

_DATED = re.compile(r"(?:(?P<unit>.*\D) )?(?P<year>\d{4})-(?:W(?P<week>\d{2})|(?P<month>\d{2})(?:-(?P<day>\d{2}))?)")


def value_text(value: float) -> str:
    """Return a number in at least three digits; a whole one in all of its digits."""
    if value == int(value) or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3f}" if abs(value) >= 0.1 else f"{value:.3g}"


def interval_text(figure: Figure) -> str:
    """Return the interval of a figure as `low to high`, or nothing if it has none."""
    if figure.low is None or figure.high is None:
        return ""
    return f"{value_text(figure.low)} to {value_text(figure.high)}"


def cell_text(figure: Figure | None) -> str:
    """Return the value of a figure and its interval."""
    if figure is None:
        return "–"
    interval = interval_text(figure)
    return f"{value_text(figure.value)} ({interval})" if interval else value_text(figure.value)


def words(metric: str) -> str:
    """Return the name of a metric in words: `ndcg_at_10` is `ndcg@10`."""
    return metric.replace("_at_", "@").replace("_", " ")


def dated(slice_: str) -> tuple[str, date] | None:
    """Return the unit of time and the first day that a slice is about, None if it is about something else.

    `2026-11-30`, `2026-W49` and `2026-11` are a day, a week and a month; words before a date are a unit of their own.
    """
    found = _DATED.fullmatch(slice_)
    if found is None:
        return None
    year, month, day = int(found["year"]), int(found["month"] or 1), int(found["day"] or 1)
    try:
        if found["week"]:
            first = datetime.strptime(f"{year}-{found['week']}-1", "%G-%V-%u").date()
        else:
            first = date(year, month, day)
    except ValueError:
        return None
    unit = "week" if found["week"] else "day" if found["day"] else "month"
    return found["unit"] or unit, first
