"""An erasure reaches every column that names an erased user or image, in every table of `schemas/`."""

import pytest

from tests.support.good_rows import good
from vsearch_lib.erasure.erase import erase
from vsearch_lib.lake import Lake, TableSchema, table_names, table_schema
from vsearch_lib.lake.schema import Column

ERASED = {"user": "erased-user", "image": "erased-image"}
PICTURE, FILE = "e" * 64, "erased-file"
OF_THE_ERASED = (*ERASED.values(), PICTURE, FILE)
# `erasures` keeps hashes of the erased ids on purpose.
TABLES = [table for table in table_names() if table != "erasures"]


@pytest.fixture(scope="module")
def erased(spark, tmp_path_factory):
    """Every table before and after the erasure of a user with one image, as JSON lines."""
    lake = Lake(spark, str(tmp_path_factory.mktemp("lake")), "run")
    for table in TABLES:
        schema = table_schema(table)
        rows = [_row(schema, holding) for holding in [{}, *_holding(schema)]]
        lake.insert_new(table, spark.sql(" UNION ALL ".join(rows)))
    before = _content(lake)
    erase(lake, "user", ERASED["user"])
    return before, _content(lake)


@pytest.mark.parametrize("table", [table for table in TABLES if table_schema(table).naming])
def test_before_the_erasure_every_naming_column_held_an_erased_id(erased, table):
    before, _ = erased
    assert len(before[table]) == 1 + len(_holding(table_schema(table)))
    assert all(any(word in line for word in OF_THE_ERASED) for line in before[table][1:])


@pytest.mark.parametrize("table", TABLES)
def test_after_the_erasure_no_table_has_data_of_the_erased(erased, table):
    _, after = erased
    assert [line for line in after[table] if any(word in line for word in OF_THE_ERASED)] == []


@pytest.mark.parametrize("table", TABLES)
def test_every_table_keeps_the_rows_of_others(erased, table):
    before, after = erased
    others = [line for line in before[table] if not any(word in line for word in OF_THE_ERASED)]
    assert len(others) == 1
    assert after[table] == others


def _holding(schema: TableSchema) -> list[dict[str, str]]:
    """Rows of the erased (column → SQL): each has one naming column, or the hash or file of the erased picture."""
    named = {column.name: _as_sql(column, ERASED[kind]) for column, kind in schema.naming.items()}
    picture = {column.name: f"'{PICTURE}'" for column in schema.columns if column.name.endswith("sha256")}
    file = {column.name: f"'{FILE}'" for column in schema.columns if column.name.endswith("_uri")}
    if schema.table == "images":
        return [named | picture | file]  # this row states the owner, the picture and the file of the image
    one_by_one = [{column: value} for holding in (named, file) for column, value in holding.items()]
    return [*one_by_one, *([picture] if picture and not named else [])]


def _row(schema: TableSchema, holding: dict[str, str]) -> str:
    values = {column.name: _neutral_value(column, "-".join(holding)) for column in schema.columns}
    values |= good(schema.table) | holding
    typed = (f"CAST({values[column.name]} AS {column.type}) AS `{column.name}`" for column in schema.columns)
    return f"SELECT {', '.join(typed)}"


def _neutral_value(column: Column, suffix: str) -> str:
    """Return SQL of a value that names no user or image; texts contain `suffix`, so that keys differ."""
    if column.type == "string":
        return f"'{column.name} {suffix}'"
    if column.type == "array<string>":
        return "array('a', 'b')"
    if column.nullable:
        return "NULL"
    if column.type.startswith("struct"):
        return f"from_json('{{}}', '{column.type}')"
    return {"date": "'2024-05-06'", "timestamp": "'2024-05-06'"}.get(column.type, "1")


def _as_sql(column: Column, name: str) -> str:
    return f"array('a', '{name}')" if column.type.startswith("array") else f"'{name}'"


def _content(lake: Lake) -> dict[str, list[str]]:
    def erased_last(line: str) -> tuple[bool, str]:
        return any(word in line for word in OF_THE_ERASED), line

    return {table: sorted(lake.read(table).toJSON().collect(), key=erased_last) for table in TABLES}
