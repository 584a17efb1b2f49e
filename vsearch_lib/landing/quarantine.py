"""The list of what is refused: brought up to date with what a run read, and read again by a retry."""

import json
from datetime import UTC, date, datetime

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from vsearch_lib.job import Job
from vsearch_lib.landing.listing import named_day
from vsearch_lib.landing.refusal import check_refused_share
from vsearch_lib.storage import open_store

KEY = ["source", "line", "reason"]
REFUSED = "source string, line bigint, reason string, message string, payload string"
_LISTED = 10_000  # refused items that a stopped run writes down


def settle(job: Job, table: str, refused: DataFrame | None, sources: DataFrame) -> None:
    """Make `quarantine` say of the landed files `sources` (source) what this run found in them.

    `refused` (columns `REFUSED`; None: nothing) is all that is refused there now: what was listed and is not
    among it has been mended and leaves the list.
    """
    if job.lake.exists("quarantine"):
        listed = job.lake.read("quarantine").where(F.col("table") == table)
        mended = listed.join(sources, "source", "left_semi")
        if refused is not None:
            mended = mended.join(refused, KEY, "left_anti")
        job.lake.delete_keys("quarantine", mended.select(KEY))
    if refused is not None:
        rows = refused.select(
            F.lit(job.run_id).alias("run"),
            F.lit(table).alias("table"),
            *KEY,
            "message",
            "payload",
            F.lit(datetime.now(UTC)).alias("first_seen"),
        )
        job.lake.insert_new("quarantine", rows.dropDuplicates(KEY))


def check_share(job: Job, table: str, refused: DataFrame | None, *, landed: int, count: int) -> None:
    """Stop a run that refuses too much of what landed, and write down what that is beside the reports.

    `refused` is as in `settle`, and `count` how much of it counts.

    Raises:
        GateRefused: more than `quality.max_refused_share` was refused; it names the reasons and the list.
    """
    limit = job.settings.quality.max_refused_share
    detail = ""
    if refused is not None and landed and count / landed > limit:
        reasons = refused.groupBy("reason").count().orderBy(F.desc("count"), "reason").collect()
        detail = (
            f" ({', '.join(f'{row[0]}: {row[1]}' for row in reasons)}; listed in {_write_list(job, table, refused)})"
        )
    check_refused_share(table, landed=landed, refused=count, limit=limit, detail=detail)


def refused_sources(job: Job, table: str) -> list[str]:
    """Return the landed files in which something of `table` is listed as refused, in name order."""
    listed = job.lake.read("quarantine").where(F.col("table") == table).select("source").distinct()
    return sorted(row["source"] for row in listed.collect())


def refused_days(job: Job, table: str) -> tuple[date, ...] | None:
    """Return the landing partitions of `refused_sources`, None where some lie outside of any."""
    days = {named_day(source) for source in refused_sources(job, table)}
    return None if None in days else tuple(sorted(day for day in days if day))


def _write_list(job: Job, table: str, refused: DataFrame) -> str:
    name = f"refused-{table}-{job.run_id}.jsonl"
    # Without the payload: a report may be passed on, and lines of users are personal.
    rows = refused.select(*KEY, "message").orderBy(*KEY).limit(_LISTED).collect()
    text = "".join(f"{json.dumps(row.asDict(), ensure_ascii=False)}\n" for row in rows)
    open_store(job.settings.reports.uri).write_new(name, text.encode())
    return f"{job.settings.reports.uri}/{name}"
