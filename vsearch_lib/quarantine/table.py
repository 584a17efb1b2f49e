"""The list of what is refused: brought up to date with what a run read, and read again by a retry."""

import json
from datetime import UTC, datetime

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from vsearch_lib.context import StepContext
from vsearch_lib.quarantine.reasons import check_refused_share
from vsearch_lib.storage import open_store

KEY = ["source", "line", "reason"]
REFUSED = "source string, line bigint, reason string, message string, payload string"
_LISTED = 10_000  # refused items that a stopped run writes down


def settle(context: StepContext, table: str, refused: DataFrame | None, sources: DataFrame) -> None:
    """Make `quarantine` say of the landed files `sources` (source) what this run found in them.

    `refused` (columns `REFUSED`; None: nothing) is all that is refused there now: what was listed and is not
    among it has been mended and leaves the list.
    """
    if context.lake.exists("quarantine"):
        listed = context.lake.read("quarantine").where(F.col("table") == table)
        mended = listed.join(sources, "source", "left_semi")
        if refused is not None:
            mended = mended.join(refused, KEY, "left_anti")
        context.lake.delete_keys("quarantine", mended.select(KEY))
    if refused is not None:
        rows = refused.select(
            F.lit(context.run_id).alias("run"),
            F.lit(table).alias("table"),
            *KEY,
            "message",
            "payload",
            F.lit(datetime.now(UTC)).alias("first_seen"),
        )
        context.lake.insert_new("quarantine", rows.dropDuplicates(KEY))


def check_share(context: StepContext, table: str, refused: DataFrame | None, *, landed: int, count: int) -> None:
    """Stop a run that refuses too much of what landed, and write down what that is beside the reports.

    `refused` is as in `settle`, and `count` how much of it counts.

    Raises:
        GateRefused: more than `quality.max_refused_share` was refused; it names the reasons and the list.
    """
    limit = context.settings.quality.max_refused_share
    detail = ""
    if refused is not None and landed and count / landed > limit:
        reasons = refused.groupBy("reason").count().orderBy(F.desc("count"), "reason").collect()
        kinds = ", ".join(f"{row[0]}: {row[1]}" for row in reasons)
        detail = f" ({kinds}; listed in {_write_list(context, table, refused)})"
    check_refused_share(table, landed=landed, refused=count, limit=limit, detail=detail)


def refused_sources(context: StepContext, table: str) -> list[str]:
    """Return the landed files in which something of `table` is listed as refused, in name order."""
    listed = context.lake.read("quarantine").where(F.col("table") == table).select("source").distinct()
    return sorted(row["source"] for row in listed.collect())


def _write_list(context: StepContext, table: str, refused: DataFrame) -> str:
    name = f"refused-{table}-{context.run_id}.jsonl"
    # Without the payload: a report may be passed on, and lines of users are personal.
    rows = refused.select(*KEY, "message").orderBy(*KEY).limit(_LISTED).collect()
    text = "".join(f"{json.dumps(row.asDict(), ensure_ascii=False)}\n" for row in rows)
    open_store(context.settings.reports.uri).write_new(name, text.encode())
    return f"{context.settings.reports.uri}/{name}"
