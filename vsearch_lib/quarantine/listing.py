"""What is refused, as a person reads it."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from vsearch_lib.lake import Lake
from vsearch_lib.terminal import printable


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
