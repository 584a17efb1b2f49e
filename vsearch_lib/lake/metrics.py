"""Saves the figures of runs in the table `metrics`, and finds them there."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime

import pyarrow as pa
from pyspark.sql import DataFrame, Row, Window
from pyspark.sql import functions as F

from vsearch_lib.figures import ALL, Figure
from vsearch_lib.lake.tables import Lake

_VERSION = r" \d{8}T\d{6}Z-[0-9a-f]{8}"
_NAMES = [field.name for field in fields(Figure)]


@dataclass(frozen=True)
class Recorded:
    """A figure in the table, with the run that recorded it, and when.

    `kind` is its subject without the versions of indexes and models, so that those of two nights have one kind.
    """

    figure: Figure
    kind: str
    run: str
    recorded_at: datetime


def record(lake: Lake, figures: Sequence[Figure]) -> None:
    """Commit figures to `metrics` under the lake's run id; of figures with the same key, the last one is saved."""
    if not figures:
        return
    # Two steps of a run may measure the same thing, for example the step that builds an index and the one that
    # publishes it.
    last = {(figure.metric, figure.subject, figure.slice): figure for figure in figures}
    facts = {"run": lake.run_id, "recorded_at": datetime.now(UTC)}
    rows = [{**facts, **vars(figure), "value": float(figure.value)} for figure in last.values()]
    # Rows of an Arrow table are a part of the plan; Python rows would need a Spark job to unpack them.
    lake.upsert("metrics", lake.spark.createDataFrame(pa.Table.from_pylist(rows)))


def newest_figures(lake: Lake, subject: str) -> list[Figure]:
    """Return the newest figure of each metric and slice of `subject`, and of it over another, in order of their names.

    Of figures that were recorded at the same time, that of the last run counts.
    """
    about = (F.col("subject") == subject) | F.col("subject").startswith(f"{subject} over ")
    newest = F.max_by(F.struct(*_NAMES), F.struct("recorded_at", "run")).alias("newest")
    found = lake.read("metrics").where(about).groupBy("metric", "subject", "slice").agg(newest).select("newest.*")
    return [Figure(**row.asDict()) for row in found.orderBy("metric", "subject", "slice").collect()]


def figures_of_newest_runs(lake: Lake) -> list[Recorded]:
    """Return what the newest run that measured it recorded of each metric and kind of subject, in order of names."""
    rows = _with_kinds(lake)
    newest = rows.groupBy("metric", "kind").agg(F.max_by("run", F.struct("recorded_at", "run")).alias("run"))
    found = rows.join(newest, ["metric", "kind", "run"]).orderBy("metric", "subject", "slice")
    return [_recorded(row) for row in found.collect()]


def recorded_history(lake: Lake, metrics: Sequence[str], *, limit: int) -> list[Recorded]:
    """Return the newest `limit` recordings of each metric, kind of subject and slice, the oldest first.

    Of several subjects of a kind in one run, the last by name counts.
    """
    rows = _with_kinds(lake).where(F.col("metric").isin(list(metrics)))
    series = ("metric", "kind", "slice")
    last = Window.partitionBy(*series, "run").orderBy(F.desc("recorded_at"), F.desc("subject"))
    newest = Window.partitionBy(*series).orderBy(F.desc("recorded_at"), F.desc("run"))
    rows = rows.withColumn("nth", F.row_number().over(last)).where("nth = 1")
    rows = rows.withColumn("nth", F.row_number().over(newest)).where(F.col("nth") <= limit)
    return [_recorded(row) for row in rows.orderBy(*series, "recorded_at", "run").collect()]


def _with_kinds(lake: Lake) -> DataFrame:
    # Rows that are older than the column have no subject.
    rows = lake.read("metrics").withColumn("subject", F.coalesce("subject", F.lit(ALL)))
    return rows.withColumn("kind", F.regexp_replace("subject", _VERSION, ""))


def _recorded(row: Row) -> Recorded:
    figure = Figure(**{name: row[name] for name in _NAMES})
    return Recorded(figure, row["kind"], row["run"], row["recorded_at"])
