"""`vsearch quarantine`: lists what is refused, and ingests it again after a repair."""

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from vsearch_lib.cli.lake import lake_of
from vsearch_lib.run.arguments import Commands, add_setting_arguments, count
from vsearch_lib.terminal import printable, say

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from vsearch_lib.config import Settings
    from vsearch_lib.lake import Lake

# Table → the job that writes to it, and refuses bad items on their way.
_WRITTEN_BY = {
    **{table: f"ingest_{table}" for table in ("images", "users", "interactions", "judgements")},
    "embeddings": "embed_images",
}


def add(commands: Commands) -> None:
    """Register the command."""
    quarantine = commands.add_parser("quarantine", help="what was refused on its way in, and why")
    actions = quarantine.add_subparsers(required=True, metavar="ACTION", dest="action")
    shown = actions.add_parser(
        "list", help="count and list what is refused", description="Count and list what is refused."
    )
    shown.add_argument("--table", choices=tuple(_WRITTEN_BY), help="only items for this table")
    shown.add_argument("--reason", metavar="CODE", help="only items with this reason code of docs/quarantine.md")
    shown.add_argument("-n", type=count, default=20, help="how many items to list (default: 20)")
    shown.set_defaults(call=_list)
    again = actions.add_parser(
        "retry", help="ingest again what is refused, and nothing else", description="Ingest it again."
    )
    again.add_argument("--table", choices=tuple(_WRITTEN_BY), help="only items for this table")
    again.set_defaults(call=_retry)
    for action in (shown, again):
        add_setting_arguments(action)


def _list(arguments: argparse.Namespace) -> None:
    with lake_of(arguments, "quarantine") as (lake, _):
        print(_as_text(_listed(lake, table=arguments.table, reason=arguments.reason), limit=arguments.n))


def _retry(arguments: argparse.Namespace) -> None:
    with lake_of(arguments, "quarantine") as (lake, settings):
        rows = _listed(lake, table=arguments.table, reason=None).select("table").distinct().collect()
        tables = sorted({row["table"] for row in rows} & set(_WRITTEN_BY))
        for line in _retried(lake, settings, tables) if tables else ["nothing is refused: there is nothing to retry"]:
            say(line)


def _listed(lake: "Lake", *, table: str | None, reason: str | None) -> "DataFrame":
    """Return the rows of `quarantine`, filtered by `table` and `reason` if they are given."""
    from pyspark.sql import functions as F

    rows = lake.read("quarantine")
    if table:
        rows = rows.where(F.col("table") == table)
    return rows.where(F.col("reason") == reason) if reason else rows


def _as_text(rows: "DataFrame", *, limit: int) -> str:
    """Return counts by table and reason, then up to `limit` refused items, a line each."""
    from pyspark.sql import functions as F

    counts = rows.groupBy("table", "reason").count().orderBy("table", F.desc("count"), "reason").collect()
    if not counts:
        return "nothing is refused"
    lines = [f"{row['count']:>8}  {row['table']}  {row['reason']}" for row in counts]
    items = rows.orderBy("table", "source", "line").limit(limit).collect()
    for item in items:
        origin = f"{item['source']}:{item['line']}" if item["line"] else item["source"]
        lines.append(printable(f"{item['first_seen']:%Y-%m-%d}  {item['reason']}  {origin}  {item['message']}"))
    total = sum(row["count"] for row in counts)
    if total > len(items):
        lines.append(f"{total - len(items)} more; -n shows more of them, --table and --reason choose")
    return "\n".join(lines)


def _retried(lake: "Lake", settings: "Settings", tables: Sequence[str]) -> list[str]:
    """Run the jobs that write `tables` on what is refused; return the lines they report, and how much is left."""
    from vsearch_lib.context import StepContext
    from vsearch_lib.lake.metrics import record
    from vsearch_lib.run.bodies import body_of

    lines: list[str] = []
    for table in tables:
        context = StepContext(settings=settings, lake=lake, run_id=lake.run_id, say=lines.append)
        record(lake, body_of(_WRITTEN_BY[table])(context, retry=True))
        left = _listed(lake, table=table, reason=None).count()
        lines.append(f"{table}: {left} refused items are left")
    return lines
