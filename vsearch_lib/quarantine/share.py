"""The share of what landed that may be refused: a run that refuses more stops before it changes a table."""

import json

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from vsearch_lib.context import StepContext
from vsearch_lib.errors import GateRefused
from vsearch_lib.storage import open_store

_LISTED = 10_000  # refused items that a stopped run writes down


def check_refused_share(
    context: StepContext, table: str, refused: DataFrame | None, *, landed: int, count: int
) -> None:
    """Stop a run that refuses too much of what landed, and list it in a file beside the reports.

    Args:
        refused: source, line, reason and message of all that is refused; None: nothing.
        landed: how many items count.
        count: how many of these are refused.

    Raises:
        GateRefused: more than `quality.max_refused_share` is refused; it names the reasons and the list.
    """
    limit = context.settings.quality.max_refused_share
    detail = ""
    if refused is not None and _is_above(limit, landed=landed, refused=count):
        reasons = refused.groupBy("reason").count().orderBy(F.desc("count"), "reason").collect()
        kinds = ", ".join(f"{row[0]}: {row[1]}" for row in reasons)
        detail = f" ({kinds}; listed in {_write_list(context, table, refused)})"
    check_share(table, landed=landed, refused=count, limit=limit, detail=detail)


def check_share(table: str, *, landed: int, refused: int, limit: float, detail: str = "") -> None:
    """Stop a run that refuses more than `limit` of what landed; `detail` says more of what is refused.

    Raises:
        GateRefused: it does.
    """
    if _is_above(limit, landed=landed, refused=refused):
        raise GateRefused(
            f"{table}: {refused} of {landed} landed items refused ({refused / landed:.1%}), more than "
            f"quality.max_refused_share = {limit:g}{detail}; tables are unchanged; mend the source or raise the limit"
        )


def _is_above(limit: float, *, landed: int, refused: int) -> bool:
    return landed > 0 and refused / landed > limit


def _write_list(context: StepContext, table: str, refused: DataFrame) -> str:
    name = f"refused-{table}-{context.run_id}.jsonl"
    # Without the payload: a report may be passed on, and lines of users are personal.
    columns = ("source", "line", "reason", "message")
    rows = refused.select(*columns).orderBy(*columns[:3]).limit(_LISTED).collect()
    text = "".join(f"{json.dumps(row.asDict(), ensure_ascii=False)}\n" for row in rows)
    open_store(context.settings.reports.uri).write_new(name, text.encode())
    return f"{context.settings.reports.uri}/{name}"
