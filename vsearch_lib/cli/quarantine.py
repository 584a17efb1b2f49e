"""What `vsearch quarantine` does: show what is refused, and take it in again after a mend."""

from collections.abc import Sequence

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from vsearch_lib.config import Settings
from vsearch_lib.context import StepContext
from vsearch_lib.lake import Lake
from vsearch_lib.lake.metrics import record
from vsearch_lib.run.bodies import body_of
from vsearch_lib.terminal import printable

# Table → the job that refuses what was going there.
WRITTEN_BY = {
    **{table: f"ingest_{table}" for table in ("images", "users", "interactions", "judgements")},
    "embeddings": "embed_images",
}


def listed(lake: Lake, *, table: str | None, reason: str | None) -> DataFrame:
    """Return the rows of `quarantine`, those that `table` and `reason` name where they are given."""
    rows = lake.read("quarantine")
    if table:
        rows = rows.where(F.col("table") == table)
    return rows.where(F.col("reason") == reason) if reason else rows


def as_text(rows: DataFrame, *, limit: int) -> str:
    """Return counts by table and reason, then up to `limit` refused items, a line each."""
    counts = rows.groupBy("table", "reason").count().orderBy("table", F.desc("count"), "reason").collect()
    if not counts:
        return "nothing is refused"
    lines = [f"{row['count']:>8}  {row['table']}  {row['reason']}" for row in counts]
    items = rows.orderBy("table", "source", "line").limit(limit).collect()
    for item in items:
        place = f"{item['source']}:{item['line']}" if item["line"] else item["source"]
        lines.append(printable(f"{item['first_seen']:%Y-%m-%d}  {item['reason']}  {place}  {item['message']}"))
    total = sum(row["count"] for row in counts)
    if total > len(items):
        lines.append(f"{total - len(items)} more; -n shows more of them, --table and --reason choose")
    return "\n".join(lines)


def retry(lake: Lake, settings: Settings, tables: Sequence[str]) -> list[str]:
    """Run the jobs that write `tables` over what is refused, and return what they had to say, and what is left."""
    said: list[str] = []
    for table in tables:
        context = StepContext(settings=settings, lake=lake, run_id=lake.run_id, say=said.append)
        record(lake, body_of(WRITTEN_BY[table])(context, retry=True))
        left = listed(lake, table=table, reason=None).count()
        said.append(f"{table}: {left} refused items are left")
    return said
