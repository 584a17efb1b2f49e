"""Refusals: whether more of what lands is refused than before, for one reason."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from pyspark.sql import Column
from pyspark.sql import functions as F
from scipy.stats import binomtest  # type: ignore[import-untyped]

from vsearch_lib.config.monitoring import Monitoring
from vsearch_lib.figures import Figure
from vsearch_lib.lake import Lake
from vsearch_lib.measure.monitoring.check import Check, Verdict, no_data

LANDING = ("images", "users", "interactions", "judgements")


@dataclass(frozen=True)
class Landed:
    """What the runs of some days accepted, that is new or changed rows, and what they refused first, by reason."""

    accepted: int
    refused: Mapping[str, int]

    @property
    def all(self) -> int:
        """Everything that they looked at first."""
        return self.accepted + sum(self.refused.values())

    def share(self, reason: str) -> float:
        """Return the share that is refused for `reason`."""
        return self.refused.get(reason, 0) / self.all


def refusal_checks(lake: Lake, now: datetime, chosen: Monitoring) -> list[Check]:
    """Return a check for each table that data lands for: the runs of the last days against those of the days before."""
    first = now - timedelta(days=chosen.days)
    earlier = _landed(lake, first - timedelta(days=chosen.earlier_days), first)
    new = _landed(lake, first, now)
    return [refusal_check(t, new[t], earlier[t], max_growth=chosen.max_refused_growth) for t in LANDING]


def refusal_check(table: str, new: Landed, earlier: Landed, *, max_growth: float) -> Check:
    """Return the check of one table; it alerts if the share of a reason grew by more than `max_growth`, surely.

    Surely means that also the lower end of the share's 95 % interval is above (Clopper and Pearson, 1934), so that one
    broken file of three is no alert.
    """
    name = f"refused {table}"
    if not new.all or not earlier.all:
        return no_data(name, f"{new.all} items in the last runs, {earlier.all} in the runs before")
    figures = tuple(_figures(table, new))
    grown = [
        f"{figure.slice} {figure.value:.1%}, {earlier.share(figure.slice):.1%} before"
        for figure in figures
        if (figure.low or 0.0) > earlier.share(figure.slice) + max_growth
    ]
    refused = sum(new.refused.values())
    seen = (
        "; ".join(grown) or f"{refused} of {new.all} refused, {sum(earlier.refused.values())} of {earlier.all} before"
    )
    return Check(name, Verdict.ALERT if grown else Verdict.OK, seen, figures)


def _figures(table: str, landed: Landed) -> Iterator[Figure]:
    for reason, count in sorted(landed.refused.items()):
        interval = binomtest(count, landed.all).proportion_ci(method="exact")
        yield Figure(
            "refused_share",
            count / landed.all,
            subject=table,
            slice=reason,
            n=landed.all,
            low=float(interval.low),
            high=float(interval.high),
        )


def _landed(lake: Lake, since: datetime, until: datetime) -> dict[str, Landed]:
    # Without this run: if it ingests too, its figures are recorded at its end.
    def of_runs_between(column: str) -> Column:
        return (F.col(column) >= F.lit(since)) & (F.col(column) < F.lit(until)) & (F.col("run") != lake.run_id)

    quarantine = (
        lake.read("quarantine").where(of_runs_between("first_seen")).groupBy("table", "reason").count().collect()
    )
    names = [f"{table}_accepted" for table in LANDING]
    metrics = lake.read("metrics").where(F.col("metric").isin(names) & of_runs_between("recorded_at"))
    totals = metrics.groupBy("metric").agg(F.sum("value").alias("total")).collect()
    accepted = {row["metric"]: row["total"] for row in totals}
    return {
        table: Landed(
            int(accepted.get(f"{table}_accepted", 0)),
            {row["reason"]: row["count"] for row in quarantine if row["table"] == table},
        )
        for table in LANDING
    }
