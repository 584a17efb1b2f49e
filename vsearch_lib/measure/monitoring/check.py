"""A check: what was looked at, its verdict, and what was seen; missing data is a verdict of its own."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import IntEnum

from pyspark.sql import functions as F

from vsearch_lib.figures import Figure
from vsearch_lib.lake import Lake

VERDICT = "verdict"  # the metric; its subject is the name of the check


class Verdict(IntEnum):
    """The values that `metrics` holds. `MISSING` is no data where earlier runs had data."""

    OK = 0
    ALERT = 1
    NO_DATA = 2
    MISSING = 3

    @property
    def words(self) -> str:
        """The verdict as people read it."""
        return {Verdict.NO_DATA: "no data", Verdict.MISSING: "data is missing"}.get(self, self.name.lower())

    @property
    def raises(self) -> bool:
        """Whether people are alerted."""
        return self in (Verdict.ALERT, Verdict.MISSING)


@dataclass(frozen=True)
class Check:
    """One check of one run.

    Attributes:
        seen: what was seen, for people; if there is no data, what is lacking.
        figures: the numbers that the verdict follows from.
    """

    name: str
    verdict: Verdict
    seen: str
    figures: tuple[Figure, ...] = ()

    @property
    def alert(self) -> str:
        """The check as one line."""
        return f"{self.name}: {self.verdict.words}: {self.seen}"


def no_data(name: str, lacking: str) -> Check:
    """Return a check that could not be made, because of what is `lacking`."""
    return Check(name, Verdict.NO_DATA, lacking)


def had_data(lake: Lake, since: datetime) -> set[str]:
    """Return the names of the checks that had data in another run, recorded after `since`."""
    earlier = lake.read("metrics").where(
        (F.col("metric") == VERDICT)
        & (F.col("recorded_at") >= F.lit(since))
        & (F.col("run") != lake.run_id)
        & F.col("value").isin(float(Verdict.OK), float(Verdict.ALERT))
    )
    return {row["subject"] for row in earlier.select("subject").distinct().collect()}


def with_missing(checks: Sequence[Check], had: set[str]) -> list[Check]:
    """Return the checks; those without data whose names are in `had` say that it is missing."""
    return [
        replace(check, verdict=Verdict.MISSING) if check.verdict == Verdict.NO_DATA and check.name in had else check
        for check in checks
    ]


def figures_of(checks: Sequence[Check]) -> list[Figure]:
    """Return the figures of all checks, and the verdict of each."""
    verdicts = [Figure(VERDICT, float(check.verdict), subject=check.name) for check in checks]
    return [*(figure for check in checks for figure in check.figures), *verdicts]
