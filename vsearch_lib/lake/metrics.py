"""Saves the figures of runs in the table `metrics`, and finds them there."""

from collections.abc import Sequence
from dataclasses import fields
from datetime import UTC, datetime

import pyarrow as pa
from pyspark.sql import functions as F

from vsearch_lib.figures import Figure
from vsearch_lib.lake.tables import Lake


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
    names = [field.name for field in fields(Figure)]
    about = (F.col("subject") == subject) | F.col("subject").startswith(f"{subject} over ")
    newest = F.max_by(F.struct(*names), F.struct("recorded_at", "run")).alias("newest")
    found = lake.read("metrics").where(about).groupBy("metric", "subject", "slice").agg(newest).select("newest.*")
    return [Figure(**row.asDict()) for row in found.orderBy("metric", "subject", "slice").collect()]
