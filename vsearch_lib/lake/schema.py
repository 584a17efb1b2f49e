"""Table schemas, read from `schemas/<table>.json`: the only place that names the columns."""

import json
from dataclasses import dataclass
from functools import cache
from typing import Literal, cast

from pyspark.sql.types import StructField, StructType

from vsearch_lib.config import PROJECT

SCHEMAS = PROJECT / "schemas"

Named = Literal["user", "image"]


@dataclass(frozen=True)
class Column:
    """A column; `type` is spelled as in Spark SQL.

    `names` says that the values, or the elements of an array, are ids of users or of images: an erasure uses it.
    `personal` marks values about a person: who they are (also a pseudonymous id), where, when, what they did or said,
    and free text, paths and pictures, which may contain any of that.
    """

    name: str
    type: str
    nullable: bool
    comment: str
    names: Named | None = None
    personal: bool = False


@dataclass(frozen=True)
class TableSchema:
    """Columns, key, partitioning, checks (name → SQL condition) and Delta properties of one table."""

    table: str
    comment: str
    key: tuple[str, ...]
    partition_by: tuple[str, ...]
    columns: tuple[Column, ...]
    checks: dict[str, str]
    properties: dict[str, str]

    @property
    def names(self) -> tuple[str, ...]:
        """Column names in table order."""
        return tuple(column.name for column in self.columns)

    @property
    def naming(self) -> dict[Column, Named]:
        """The columns that name users or images, and which of the two."""
        return {column: column.names for column in self.columns if column.names}

    @property
    def struct(self) -> StructType:
        """The Spark type of a row, comments included."""
        ddl = ", ".join(f"`{column.name}` {column.type}" for column in self.columns)
        parsed = cast(StructType, StructType.fromDDL(ddl))
        return StructType(
            [
                StructField(column.name, field.dataType, column.nullable, {"comment": column.comment})
                for column, field in zip(self.columns, parsed.fields, strict=True)
            ]
        )


@cache
def table_schema(table: str) -> TableSchema:
    """Return the schema of `table`; FileNotFoundError if `schemas/` has no such file."""
    content = json.loads((SCHEMAS / f"{table}.json").read_text())
    return TableSchema(
        table=content["table"],
        comment=content["comment"],
        key=tuple(content["key"]),
        partition_by=tuple(content["partition_by"]),
        columns=tuple(Column(**column) for column in content["columns"]),
        checks=content["checks"],
        properties=content["properties"],
    )


def table_names() -> list[str]:
    """All tables that `schemas/` describes."""
    return sorted(file.stem for file in SCHEMAS.glob("*.json") if not file.name.startswith("manifest"))
