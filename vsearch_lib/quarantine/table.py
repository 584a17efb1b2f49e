"""The table of what is refused: replaced for the sources that a run read, and read again by a retry."""

from datetime import UTC, datetime

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from vsearch_lib.context import StepContext
from vsearch_lib.lake import table_schema


def replace_refusals(context: StepContext, table: str, refused: DataFrame | None, sources: DataFrame) -> None:
    """Make `quarantine` hold of `sources` (source) what this run refused of them on the way to `table`, and no more.

    `refused` (source, line, reason, message, payload; None: nothing) is all that is refused there now: what was listed
    and is not among it has been mended and leaves the list. What was listed already keeps when it was first seen.
    """
    key = table_schema("quarantine").key
    if context.lake.exists("quarantine"):
        listed = context.lake.read("quarantine").where(F.col("table") == table)
        mended = listed.join(sources, "source", "left_semi")
        if refused is not None:
            mended = mended.join(refused, list(key), "left_anti")
        context.lake.delete_keys("quarantine", mended.select(*key))
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
    """Return the landed files of which something is listed as refused on the way to `table`, in name order."""
    listed = context.lake.read("quarantine").where(F.col("table") == table).select("source").distinct()
    return sorted(row["source"] for row in listed.collect())
