"""Where a reader of a table stands, and what has changed there since: cost follows the change, not the table."""

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
    """A version of one table; a table that is made anew in the same place is another, whatever its versions."""

    table_id: str
    version: int


def position(lake: Lake, table: str) -> Position | None:
    """Return where `table` stands now, None where it has not been written yet."""
    version = lake.version(table)
    return None if version is None else Position(lake.table_id(table), version)


def load_read_positions(lake: Lake, reader: str, *, within_hours: int) -> dict[str, Position]:
    """Return table → up to where `reader` has read it, where that is recent enough for the changes since to be kept."""
    note = open_store(_positions_uri(lake)).read_versioned(f"{reader}.json")
    if note is None:
        return {}
    said = json.loads(note.content)
    if datetime.fromisoformat(said["read_at"]) < datetime.now(UTC) - timedelta(hours=within_hours):
        return {}
    return {table: Position(**at) for table, at in said["tables"].items()}


def save_read_positions(lake: Lake, reader: str, read: Mapping[str, Position]) -> None:
    """Write down up to where `reader` has read some tables: a note that saves work, and may be deleted at any time."""
    store, key = open_store(_positions_uri(lake)), f"{reader}.json"
    said = {"read_at": datetime.now(UTC).isoformat(), "tables": {table: asdict(at) for table, at in read.items()}}
    # What a rival wrote meanwhile is as true; the next run does again what lies between.
    with suppress(PublishConflict):
        store.replace(key, json.dumps(said).encode(), store.read_versioned(key))


def _positions_uri(lake: Lake) -> str:
    return f"{lake.uri}/read_positions"


def changed(lake: Lake, table: str, since: Position | None, until: Position) -> DataFrame | None:
    """Return the rows of `table` that changed after `since`, as they were at `until`; `gone` marks deleted ones.

    None where that cannot be said: `since` is not a version of this table.
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
    """Return the keys of the rows of `table` that changed after `since`, and what `value` was of each.

    `before` is it at `since` and `after` at `until`, null where there was no row. None as `changed` does.
    """
    feed = _feed(lake, table, since, until)
    if feed is None:
        return None
    key = table_schema(table).key
    came = F.col("_change_type").isin("insert", "update_postimage")
    # Of one commit, what was there comes before what is there.
    rows = feed.select(*key, F.struct("_commit_version", came).alias("_at"), came.alias("_came"), value.alias("_value"))
    first, last = F.min_by(F.expr("IF(_came, NULL, _value)"), "_at"), F.max_by(F.expr("IF(_came, _value, NULL)"), "_at")
    return rows.groupBy(*key).agg(first.alias("before"), last.alias("after"))


def added(lake: Lake, table: str, since: Position | None, until: Position) -> DataFrame | None:
    """Return the rows that were inserted into `table` after `since`, up to `until`; None as `changed` does."""
    feed = _feed(lake, table, since, until)
    return None if feed is None else feed.where("_change_type = 'insert'").select(*table_schema(table).names)


def _feed(lake: Lake, table: str, since: Position | None, until: Position) -> DataFrame | None:
    if since is None or since.table_id != until.table_id or since.version > until.version:
        return None
    if since.version == until.version:
        extra = [F.lit(None).cast("string").alias("_change_type"), F.lit(None).cast("bigint").alias("_commit_version")]
        return lake.read(table).select("*", *extra).limit(0)
    return lake.read_changes(table, since.version + 1, until.version)
