"""The periods of online figures: days, ISO weeks, calendar months, and the window of the last days."""

from dataclasses import dataclass
from datetime import date, timedelta

from vsearch_lib.figures import ALL

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Period:
    """The days from `first` to `last`, both included; `name` is the slice of its figures."""

    name: str
    first: date
    last: date

    @property
    def days(self) -> list[date]:
        """Its days, in order."""
        return [self.first + n * _DAY for n in range((self.last - self.first).days + 1)]


def periods_of(first: date, last: date) -> list[Period]:
    """Return the window from `first` to `last`, its days, and the ISO weeks and months that have one of its days.

    A week or month that has not ended by `last` ends there.
    """
    days = Period(ALL, first, last).days
    weeks = dict.fromkeys(day - (day.isoweekday() - 1) * _DAY for day in days)
    months = dict.fromkeys(day.replace(day=1) for day in days)
    return [
        Period(ALL, first, last),
        *(Period(f"day {day}", day, day) for day in days),
        *(Period(f"week {monday:%G-W%V}", monday, min(monday + 6 * _DAY, last)) for monday in weeks),
        *(Period(f"month {begin:%Y-%m}", begin, min(_end_of_month(begin), last)) for begin in months),
    ]


def _end_of_month(first: date) -> date:
    return (first + 31 * _DAY).replace(day=1) - _DAY
