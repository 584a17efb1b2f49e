"""How stored tables differ from their files in `schemas/`, and which statements would make them the same."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pyspark.errors import PySparkException
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import StructField, StructType

from vsearch_lib.lake.paths import quoted
from vsearch_lib.lake.schema import TableSchema, table_names, table_schema
from vsearch_lib.lake.tables import Lake

_CHECK = "delta.constraints."


@dataclass(frozen=True)
class Difference:
    """One difference: what a table has, and what it should have.

    `statements` make the change without altering any stored row; they are empty if that is impossible.
    """

    table: str
    text: str
    statements: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.table}: {self.text}"


# A text that says what is and what should be, and the clauses of ALTER TABLE that make the change.
_Finding = tuple[str, list[str]]


def schema_differences(lake: Lake) -> list[Difference]:
    """Return every difference of every table that has already been written."""
    return [d for table in table_names() if lake.exists(table) for d in _table_differences(lake, table_schema(table))]


def _table_differences(lake: Lake, schema: TableSchema) -> Iterator[Difference]:
    name = f"delta.{quoted(lake.path(schema.table))}"
    stored = lake.spark.table(name)
    detail = lake.spark.sql(f"DESCRIBE DETAIL {name}").collect()[0]
    findings = [
        # In the order in which the changes can be made: a check may name a new column.
        *_columns(stored.schema, schema.struct),
        *_table(detail["description"] or "", detail["partitionColumns"], detail["properties"], schema),
        *_checks(stored, detail["properties"], schema),
    ]
    for text, clauses in findings:
        yield Difference(schema.table, text, tuple(f"ALTER TABLE {name} {clause}" for clause in clauses))


def _columns(stored: StructType, wanted: StructType, *path: str) -> Iterator[_Finding]:
    """Compare the columns of a table, or the fields of the struct column at `path`."""
    order = [name for name in stored.names if name in wanted.names]
    for number, column in enumerate(wanted):
        if column.name in stored.names:
            yield from _column(stored[column.name], column, *path)
            continue
        order.insert(order.index(wanted[number - 1].name) + 1 if number else 0, column.name)
        kind, comment = column.dataType.simpleString(), column.metadata.get("comment", "")
        text = f"column {_dotted(*path, column.name)} is missing, should be {kind}"
        if not column.nullable:
            yield f"{text} NOT NULL, for which stored rows have no value", []
            continue
        position = f"AFTER {quoted(wanted[number - 1].name)}" if number else "FIRST"
        yield text, [f"ADD COLUMNS ({quoted(*path, column.name)} {kind} COMMENT {_literal(comment)} {position})"]
    for name in stored.names:
        if name not in wanted.names:
            kind = stored[name].dataType.simpleString()
            yield f"column {_dotted(*path, name)} is {kind}, should not be there", []
    if order != wanted.names:
        label = f"fields of {_dotted(*path)}" if path else "columns"
        text = f"{label} are in the order {', '.join(order)}, should be in the order {', '.join(wanted.names)}"
        yield text, list(_moves(order, wanted.names, *path))


def _column(stored: StructField, wanted: StructField, *path: str) -> Iterator[_Finding]:
    full_path = (*path, wanted.name)
    label, alter = f"column {_dotted(*full_path)}", f"ALTER COLUMN {quoted(*full_path)}"
    kinds = stored.dataType, wanted.dataType
    if isinstance(kinds[0], StructType) and isinstance(kinds[1], StructType):
        yield from _columns(kinds[0], kinds[1], *full_path)
    elif kinds[0].simpleString() != kinds[1].simpleString():
        yield f"{label} is {kinds[0].simpleString()}, should be {kinds[1].simpleString()}", []
    if stored.nullable and not wanted.nullable:
        yield f"{label} may be null, should be NOT NULL", []
    elif wanted.nullable and not stored.nullable:
        yield f"{label} is NOT NULL, should be nullable", [f"{alter} DROP NOT NULL"]
    old, new = (field.metadata.get("comment", "") for field in (stored, wanted))
    if old != new:
        yield f"comment of {label} is {old!r}, should be {new!r}", [f"{alter} COMMENT {_literal(new)}"]


def _moves(order: list[str], wanted: list[str], *path: str) -> Iterator[str]:
    """Put columns in order: structs with another order of fields would be compared, and cast, field by wrong field."""
    for number, name in enumerate(wanted):
        if order[number] != name:
            order.remove(name)
            order.insert(number, name)
            position = f"AFTER {quoted(wanted[number - 1])}" if number else "FIRST"
            yield f"ALTER COLUMN {quoted(*path, name)} {position}"


def _table(
    comment: str, partition_by: list[str], properties: dict[str, str], schema: TableSchema
) -> Iterator[_Finding]:
    if comment != schema.comment:
        text = f"comment is {comment!r}, should be {schema.comment!r}"
        yield text, [f"SET TBLPROPERTIES ('comment' = {_literal(schema.comment)})"]
    if tuple(partition_by) != schema.partition_by:
        old, new = (", ".join(names) or "nothing" for names in (partition_by, schema.partition_by))
        yield f"partitioned by {old}, should be by {new}", []
    # Delta sets properties of its own: compare only those that the file names.
    for name, value in schema.properties.items():
        if properties.get(name) != value:
            text = f"property {name} is {properties.get(name, 'not set')}, should be {value}"
            yield text, [f"SET TBLPROPERTIES ({_literal(name)} = {_literal(value)})"]


def _checks(stored: DataFrame, properties: dict[str, str], schema: TableSchema) -> Iterator[_Finding]:
    stored_checks = {name.removeprefix(_CHECK): text for name, text in properties.items() if name.startswith(_CHECK)}
    for name, condition in schema.checks.items():
        old = stored_checks.pop(name.lower(), None)
        if old is None or _tokens(old) != _tokens(condition):
            obstacle = _obstacle(stored, condition, schema)
            drop = [] if old is None else [f"DROP CONSTRAINT {quoted(name)}"]
            add = f"ADD CONSTRAINT {quoted(name)} CHECK ({condition})"
            text = f"check {name} is {old or 'missing'}, should be {condition}"
            yield (f"{text}, but {obstacle}", []) if obstacle else (text, [*drop, add])
    for name, old in stored_checks.items():
        yield f"check {name} is {old}, should not be there", [f"DROP CONSTRAINT {quoted(name)}"]


def _obstacle(stored: DataFrame, condition: str, schema: TableSchema) -> str | None:
    """Return why the check cannot be added to the table, None if it can."""
    if "->" in condition:
        return "Delta's ADD CONSTRAINT does not read lambdas"
    new = [F.lit(None).cast(c.type).alias(c.name) for c in schema.columns if c.name not in stored.columns]
    try:
        broken = stored.select("*", *new).where(~F.expr(condition).eqNullSafe(F.lit(True))).count()
    except PySparkException as error:
        return f"the stored rows cannot be checked: {str(error).strip().splitlines()[0]}"
    return f"rows break it: {broken}" if broken else None


def _tokens(condition: str) -> str:
    """Return `condition` without the spaces outside quotes: ADD CONSTRAINT puts a space between any two tokens."""
    return re.sub(r"('(?:[^'\\]|\\.)*')|\s+", r"\1", condition)


def _dotted(*path: str) -> str:
    return ".".join(path)


def _literal(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
