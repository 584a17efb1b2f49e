"""How far a reader has read a table, and what has changed since: the cost follows the change, not the table."""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from vsearch_lib.errors import PublishConflict
from vsearch_lib.lake.schema import table_schema
from vsearch_lib.lake.tables import Lake
from vsearch_lib.storage import open_store


@dataclass(frozen=True)
class Position:
    """A version of one table; a table that is created again at the same path has another id."""

    table_id: str
    version: int


def position(lake: Lake, table: str) -> Position | None:
    """Return the current position of `table`, None if it has not been written yet."""
    version = lake.version(table)
    return None if version is None else Position(lake.table_id(table), version)


def load_read_positions(lake: Lake, reader: str, *, within_hours: int) -> dict[str, Position]:
    """Return table → the position up to which `reader` has read it.

    It is empty if `reader` last read more than `within_hours` ago: Delta may have deleted the changes since then.
    """
    stored = open_store(_positions_uri(lake)).read_versioned(f"{reader}.json")
    if stored is None:
        return {}
    note = json.loads(stored.content)
    if datetime.fromisoformat(note["read_at"]) < datetime.now(UTC) - timedelta(hours=within_hours):
        return {}
    return {table: Position(**fields) for table, fields in note["tables"].items()}


def save_read_positions(lake: Lake, reader: str, read: Mapping[str, Position]) -> None:
    """Save up to where `reader` has read some tables. The note only saves work and may be deleted at any time."""
    store, key = open_store(_positions_uri(lake)), f"{reader}.json"
    tables = {table: asdict(position) for table, position in read.items()}
    note = {"read_at": datetime.now(UTC).isoformat(), "tables": tables}
    # A concurrent run's note is just as valid; the next run reads the changes in between again.
    with suppress(PublishConflict):
        store.replace(key, json.dumps(note).encode(), store.read_versioned(key))


def _positions_uri(lake: Lake) -> str:
    return f"{lake.uri}/read_positions"


def changed(lake: Lake, table: str, since: Position | None, until: Position) -> DataFrame | None:
    """Return the rows of `table` that changed after `since`, as they were at `until`; `gone` marks deleted rows.

    None if `since` is not a version of this table.
    """
    feed = _feed(lake, table, since, until)
    if feed is None:
        return None
    key = table_schema(table).key
    last = Window.partitionBy(*key).orderBy(F.desc("_commit_version"), F.col("_change_type") == "delete")
    rows = feed.where("_change_type != 'update_preimage'").withColumn("_n", F.row_number().over(last)).where("_n = 1")
    return rows.select(*table_schema(table).names, (F.col("_change_type") == "delete").alias("gone"))


def before_and_after(
    lake: Lake, table: str, value: Column, since: Position | None, until: Position
) -> DataFrame | None:
    """Return the keys of the rows of `table` that changed after `since`, and `value` of each row before and after.

    `before` is the value at `since` and `after` the value at `until`; each is null if there was no row then.
    None if `since` is not a version of this table.
    """
    feed = _feed(lake, table, since, until)
    if feed is None:
        return None
    key = table_schema(table).key
    is_new = F.col("_change_type").isin("insert", "update_postimage")
    # Within one commit, the old row is ordered before the new one.
    order = F.struct("_commit_version", is_new).alias("_order")
    rows = feed.select(*key, order, is_new.alias("_is_new"), value.alias("_value"))
    first = F.min_by(F.expr("IF(_is_new, NULL, _value)"), "_order")
    last = F.max_by(F.expr("IF(_is_new, _value, NULL)"), "_order")
    return rows.groupBy(*key).agg(first.alias("before"), last.alias("after"))


def added(lake: Lake, table: str, since: Position | None, until: Position) -> DataFrame | None:
    """Return the rows that were inserted into `table` after `since`, up to `until`.

    None if `since` is not a version of this table.
    """
    feed = _feed(lake, table, since, until)
    return None if feed is None else feed.where("_change_type = 'insert'").select(*table_schema(table).names)


def _feed(lake: Lake, table: str, since: Position | None, until: Position) -> DataFrame | None:
    if since is None or since.table_id != until.table_id or since.version > until.version:
        return None
    if since.version == until.version:
        extra = [F.lit(None).cast("string").alias("_change_type"), F.lit(None).cast("bigint").alias("_commit_version")]
        return lake.read(table).select("*", *extra).limit(0)
    return lake.read_changes(table, since.version + 1, until.version)
