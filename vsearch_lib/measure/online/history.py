"""Figures of the last days, and of their weeks and months; a day is counted again only if its events changed."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from pyspark.sql import functions as F

from vsearch_lib.eligibility import PUBLIC
from vsearch_lib.examples.propensity import Examination
from vsearch_lib.figures import ALL, Figure
from vsearch_lib.lake import Lake
from vsearch_lib.lake.partitions import partition_states
from vsearch_lib.lake.past_results import input_state, load_result, save_result
from vsearch_lib.measure.online.clicks import Counts, count_days, total
from vsearch_lib.measure.online.exposure import count_exposure, exposure_figures
from vsearch_lib.measure.online.periods import Period, periods_of
from vsearch_lib.measure.online.rates import position_figures, rate_figures, rates_by_position

_DAY = timedelta(days=1)


def period_figures(lake: Lake, first: date, last: date, examination: Examination | None) -> list[Figure]:
    """Return the figures of the window from `first` to `last`, and of its days, weeks and months.

    Counts of days are stored and added up: no figure of a week or month reads events again, except those of exposure,
    because an image may be shown on several days. They read the days of the period, at most a month.
    """
    periods = periods_of(first, last)
    days = sorted({day for period in periods for day in period.days})
    interactions, images = lake.read("interactions"), lake.read("images")
    # The clicks of the day after are clicks on impressions of the day.
    read = interactions.where(F.col("event_date").between(days[0], days[-1] + _DAY))
    states = partition_states(read, "event_date")

    def state_of(some: Sequence[date]) -> str:
        return input_state({}, files=[states.get(str(day)) for day in (*some, some[-1] + _DAY)])

    def count(names: Sequence[str]) -> dict[str, Any]:
        counted = count_days(read, images, [date.fromisoformat(name) for name in names])
        return {str(day): [[*key, value] for key, value in counts.items()] for day, counts in counted.items()}

    def expose(names: Sequence[str]) -> dict[str, Any]:
        counted = count_exposure(read, images.where(PUBLIC), [period for period in periods if period.name in names])
        return {name: [list(shown.items()), catalogue] for name, (shown, catalogue) in counted.items()}

    stored = _once(lake, "online_days", {str(day): state_of([day]) for day in days}, count)
    counts = {day: Counts({(of, at, name): n for of, at, name, n in stored[str(day)]}) for day in days}
    spread = {period.name: state_of(period.days) for period in periods if period.name != ALL}
    exposed = _once(lake, "online_exposure", spread, expose)
    figures = _figures(periods, counts, examination)
    for name, (shown, catalogue) in exposed.items():
        figures += exposure_figures(name, dict(shown), catalogue)
    return figures


def _figures(periods: Sequence[Period], counts: Mapping[date, Counts], examination: Examination | None) -> list[Figure]:
    sums = {period.name: total(counts[day] for day in period.days) for period in periods}
    usual = rates_by_position(sums[ALL])
    figures = []
    for name, summed in sums.items():
        figures += [*rate_figures(summed, name, usual, examination), *position_figures(summed, name)]
    subjects = sorted({subject for subject, _, _ in sums[ALL]} - {ALL})
    return figures + [figure for subject in subjects for figure in position_figures(sums[ALL], ALL, subject=subject)]


def _once(
    lake: Lake, kind: str, states: Mapping[str, str], make: Callable[[Sequence[str]], dict[str, Any]]
) -> dict[str, Any]:
    """Return name → what `make` made of it, now or when its state was last the same."""
    kept = {name: load_result(lake, f"{kind}/{name.replace(' ', '-')}", state) for name, state in states.items()}
    missing = [name for name, result in kept.items() if result is None]
    made = make(missing)
    for name in missing:
        save_result(lake, f"{kind}/{name.replace(' ', '-')}", states[name], {"counted": made[name]})
    return {name: made[name] if result is None else result["counted"] for name, result in kept.items()}
