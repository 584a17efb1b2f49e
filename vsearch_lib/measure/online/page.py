"""The tables of the page about clicks: everything in them is a figure of `metrics`."""

from collections.abc import Sequence

from vsearch_lib.figures import ALL, Figure
from vsearch_lib.report.page import Table

_PERIODS = ("month", "week", "day")
# heading → metric
_WHEN = {
    "requests": "requests",
    "sessions": "sessions",
    "with a click": "clicked_session_share",
    "impressions": "impressions",
    "click-through rate": "click_through_rate",
    "debiased": "debiased_click_through_rate",
    "ms on an image": "dwell_ms_mean",
    "ms in total": "dwell_ms_total",
}
_WHAT = {
    "coverage": "catalogue_coverage",
    "top 1 % get": "top_percent_impression_share",
    "Gini": "impression_gini",
    "age at click, days": "click_age_days_mean",
    "clicks on new": "new_click_share",
}
_WHO = {
    "requests": "requests",
    "with a click": "clicked_request_share",
    "impressions": "impressions",
    "clicked": "clicked_impressions",
    "click-through rate": "click_through_rate",
    "debiased": "debiased_click_through_rate",
    "of expected": "clicks_over_expected",
    "MRR of clicks": "click_mrr",
    "ms on an image": "dwell_ms_mean",
}


def click_tables(figures: Sequence[Figure]) -> list[Table]:
    """Return two tables by month, week and day, one by variant and index version, and one by position."""
    value = {(figure.metric, figure.subject, figure.slice): figure.value for figure in figures}
    slices = [figure.slice for figure in figures if figure.metric == "requests" and figure.subject == ALL]
    subjects = [figure.subject for figure in figures if figure.metric == "requests" and figure.slice == ALL]
    times = [name for kind in _PERIODS for name in slices if name.startswith(kind)]
    when, what = (
        [(name, *(number(value.get((metric, ALL, name))) for metric in columns.values())) for name in times]
        for columns in (_WHEN, _WHAT)
    )
    who = [(name, *(number(value.get((metric, name, ALL))) for metric in _WHO.values())) for name in subjects]
    positions = [
        name
        for metric, of, name in value
        if (metric, of) == ("click_through_rate", ALL) and name.startswith("position")
    ]
    where = [(name, *(number(value.get(("click_through_rate", of, name))) for of in subjects)) for name in positions]
    return [
        Table(("when", *_WHEN), when, title="Months, weeks and days"),
        Table(("when", *_WHAT), what, title="What was shown and clicked"),
        Table(("who", *_WHO), who, title="Variants and versions, all days of the page"),
        Table(("click-through rate", *subjects), where, title="Positions"),
    ]


def number(value: float | None) -> str:
    """Return a figure as the page shows it."""
    if value is None:
        return "–"
    return f"{value:,.0f}" if value == int(value) or value > 100 else f"{value:.3f}"
