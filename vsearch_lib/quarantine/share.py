"""The share of landed items that may be refused: a run that refuses more stops before it changes a table."""

import json

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from vsearch_lib.context import StepContext
from vsearch_lib.errors import GateRefused
from vsearch_lib.storage import open_store

_LISTED = 10_000  # refused items that a stopped run writes to its list


def check_refused_share(
    context: StepContext, table: str, refused: DataFrame | None, *, landed: int, count: int
) -> None:
    """Stop a run that refuses too many landed items, and list the refused items in a file beside the reports.

    Args:
        refused: source, line, reason and message of all refused items; None if nothing is refused.
        landed: the number of items that count.
        count: the number of these that are refused.

    Raises:
        GateRefused: the share of refused items is above `quality.max_refused_share`; the message names the reasons and
            the file.
    """
    limit = context.settings.quality.max_refused_share
    detail = ""
    if refused is not None and _is_above(limit, landed=landed, refused=count):
        reasons = refused.groupBy("reason").count().orderBy(F.desc("count"), "reason").collect()
        kinds = ", ".join(f"{row[0]}: {row[1]}" for row in reasons)
        detail = f" ({kinds}; listed in {_write_list(context, table, refused)})"
    check_share(table, landed=landed, refused=count, limit=limit, detail=detail)


def check_share(table: str, *, landed: int, refused: int, limit: float, detail: str = "") -> None:
    """Stop a run that refuses more than the share `limit` of its landed items; `detail` is added to the message.

    Raises:
        GateRefused: the share is above the limit.
    """
    if _is_above(limit, landed=landed, refused=refused):
        raise GateRefused(
            f"{table}: {refused} of {landed} landed items refused ({refused / landed:.1%}), more than "
            f"quality.max_refused_share = {limit:g}{detail}; tables are unchanged; fix the source or raise the limit"
        )


def _is_above(limit: float, *, landed: int, refused: int) -> bool:
    return landed > 0 and refused / landed > limit


def _write_list(context: StepContext, table: str, refused: DataFrame) -> str:
    name = f"refused-{table}-{context.run_id}.jsonl"
    # Without the payload: a report may be shared, and lines of users are personal data.
    columns = ("source", "line", "reason", "message")
    rows = refused.select(*columns).orderBy(*columns[:3]).limit(_LISTED).collect()
    text = "".join(f"{json.dumps(row.asDict(), ensure_ascii=False)}\n" for row in rows)
    open_store(context.settings.reports.uri).write_new(name, text.encode())
    return f"{context.settings.reports.uri}/{name}"
