"""Tables are described as data, and what is said about them fits together."""

import json

import pytest

from vsearch_lib.config import PROJECT
from vsearch_lib.lake import table_names, table_schema

KEYS = {
    "images": ("image_id",),
    "image_pixels": ("sha256",),
    "users": ("user_id",),
    "users_pii": ("user_id",),
    "interactions": ("event_id",),
    "judgements": ("query_image_id", "image_id", "annotator"),
    "training_examples": ("snapshot", "example_id"),
    "embeddings": ("model_version", "image_id"),
    "metrics": ("run", "metric", "slice"),
}
tables = pytest.mark.parametrize("table", table_names())


def good(table: str) -> dict[str, str]:
    """A row that the table's checks take, as SQL literals of the columns that they name."""
    rows = {
        "images": {
            "visibility": "'public'",
            "moderation": "'ok'",
            "width": "1",
            "height": "1",
            "sha256": "repeat('0', 64)",
        },
        "image_pixels": {"sha256": "repeat('0', 64)", "jpeg": "X'FF'"},
        "users_pii": {"age": "CAST(NULL AS int)"},
        "interactions": {
            "position": "1",
            "type": "'click'",
            "dwell_ms": "CAST(NULL AS bigint)",
            "latitude": "-90D",
            "longitude": "180D",
        },
        "judgements": {"score": "5"},
        "embeddings": {"vector": "array(0.6F, 0.8F)"},
        "training_examples": {
            "label": "1",
            "candidate_image_ids": "array('a', 'b')",
            "weight": "0.5F",
            "split": "'train'",
            "source": "'click'",
        },
    }
    return rows.get(table, {})


BAD = [
    ("images", "visibility", "'hidden'", "visibility_known"),
    ("images", "moderation", "'fine'", "moderation_known"),
    ("images", "width", "0", "sides_positive"),
    ("images", "sha256", "'00'", "sha256_hex"),
    ("image_pixels", "sha256", "repeat('0', 65)", "sha256_hex"),
    ("image_pixels", "jpeg", "X''", "jpeg_present"),
    ("users_pii", "age", "131", "age_plausible"),
    ("interactions", "position", "0", "position_from_one"),
    ("interactions", "type", "'hover'", "type_known"),
    ("interactions", "dwell_ms", "-1", "dwell_not_negative"),
    ("interactions", "latitude", "90.1D", "latitude_in_range"),
    ("interactions", "longitude", "CAST('NaN' AS double)", "longitude_in_range"),
    ("judgements", "score", "6", "score_in_range"),
    ("judgements", "score", "-1", "score_in_range"),
    ("embeddings", "vector", "array(1F, 1F)", "vector_unit"),
    ("embeddings", "vector", "array(CAST('NaN' AS float), 1F)", "vector_unit"),
    ("embeddings", "vector", "array(0F, 0F)", "vector_unit"),
    ("training_examples", "label", "2", "label_in_range"),
    ("training_examples", "label", "-1", "label_in_range"),
    ("training_examples", "weight", "0F", "weight_positive"),
    ("training_examples", "split", "'test'", "split_known"),
    ("training_examples", "source", "'guess'", "source_known"),
]


def test_the_tables_of_the_design_are_described():
    assert {*KEYS, "quarantine"} == set(table_names())


@pytest.mark.parametrize(("table", "key"), KEYS.items())
def test_a_table_has_the_key_of_the_design(table, key):
    assert table_schema(table).key == key


@tables
def test_a_table_is_described_in_the_file_of_its_name(table):
    assert table_schema(table).table == table


@tables
def test_keys_and_partitions_are_columns_that_are_never_null(table):
    schema = table_schema(table)
    columns = {column.name: column for column in schema.columns}
    assert schema.key
    assert all(not columns[name].nullable for name in (*schema.key, *schema.partition_by))


@tables
def test_every_column_has_one_name_and_a_comment(table):
    schema = table_schema(table)
    assert len({name.lower() for name in schema.names}) == len(schema.names)
    assert all(column.comment.strip() for column in schema.columns)
    assert schema.comment.strip()


@tables
def test_every_type_is_one_that_spark_knows(spark, table):
    schema = table_schema(table)
    assert schema.struct.names == list(schema.names)
    assert [field.nullable for field in schema.struct] == [column.nullable for column in schema.columns]


@tables
def test_a_file_says_nothing_that_is_not_read(table):
    content = json.loads((PROJECT / "schemas" / f"{table}.json").read_text())
    assert set(content) == {"table", "comment", "key", "partition_by", "columns", "checks", "properties"}


def test_an_unknown_table_has_no_schema():
    with pytest.raises(FileNotFoundError):
        table_schema("nothing")


def test_the_manifest_is_not_a_table():
    assert not [table for table in table_names() if table.startswith("manifest")]


def test_every_check_takes_good_rows(spark):
    failed = _checked(spark, [(table, good(table), check) for table in table_names() for check in _checks(table)])
    assert failed == []


def test_every_check_refuses_a_row_that_breaks_it(spark):
    cases = [(table, {**good(table), column: value}, check) for table, column, value, check in BAD]
    assert _checked(spark, cases) == list(range(len(BAD)))


def test_every_check_is_broken_by_one_of_these_rows():
    assert {(table, check) for table, _, _, check in BAD} == {
        (table, check) for table in table_names() for check in _checks(table)
    }


def test_changes_of_images_can_be_followed():
    assert table_schema("images").properties["delta.enableChangeDataFeed"] == "true"


def test_who_a_user_is_stands_in_one_table():
    personal = {"username", "age", "email"}
    for table in table_names():
        found = personal & set(table_schema(table).names)
        assert found == (personal if table == "users_pii" else set())


def _checks(table: str) -> list[str]:
    return list(table_schema(table).checks)


def _checked(spark, cases) -> list[int]:
    """Numbers of those of (table, row, check) that do not hold, found in one query."""
    selects = []
    for number, (table, row, check) in enumerate(cases):
        columns = ", ".join(f"{value} AS {name}" for name, value in row.items())
        selects.append(
            f"SELECT {number} AS number, {table_schema(table).checks[check]} AS holds FROM (SELECT {columns})"
        )
    rows = spark.sql(" UNION ALL ".join(selects)).collect()
    return sorted(row["number"] for row in rows if row["holds"] is not True)
