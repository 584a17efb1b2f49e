"""The table of refused items: a run replaces the rows of the sources that it read, and a retry reads them again."""

from datetime import UTC, datetime

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from vsearch_lib.context import StepContext
from vsearch_lib.lake import table_schema


def replace_refusals(context: StepContext, table: str, refused: DataFrame | None, sources: DataFrame) -> None:
    """Replace the rows of `quarantine` for `table` and `sources` (source) with the items that this run refused.

    `refused` (source, line, reason, message, payload; None if there are none) are all items of the sources that are
    refused now: rows of other items are deleted, and items that have a row already keep it, with its `first_seen`.
    """
    key = table_schema("quarantine").key
    if context.lake.exists("quarantine"):
        listed = context.lake.read("quarantine").where(F.col("table") == table)
        repaired = listed.join(sources, "source", "left_semi")
        if refused is not None:
            repaired = repaired.join(refused, list(key), "left_anti")
        context.lake.delete_keys("quarantine", repaired.select(*key))
    if refused is not None:
        rows = refused.select(
            F.lit(context.run_id).alias("run"),
            F.lit(table).alias("table"),
            *key,
            "message",
            "payload",
            F.lit(datetime.now(UTC)).alias("first_seen"),
        )
        context.lake.insert_new("quarantine", rows.dropDuplicates(list(key)))


def sources_with_refusals(context: StepContext, table: str) -> list[str]:
    """Return the sources that have refused items for `table`, in order of name."""
    listed = context.lake.read("quarantine").where(F.col("table") == table).select("source").distinct()
    return sorted(row["source"] for row in listed.collect())
