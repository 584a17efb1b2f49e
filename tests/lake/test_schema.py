"""The descriptions of the tables are complete and consistent."""

import json
import re
from dataclasses import fields

import pytest

from tests.support.good_rows import good
from vsearch_lib.config import PROJECT
from vsearch_lib.lake import table_names, table_schema
from vsearch_lib.lake.schema import Column

KEYS = {
    "images": ("image_id",),
    "image_files": ("landed_on", "source_uri"),
    "image_pixels": ("sha256",),
    "images_awaited": ("image_id",),
    "near_duplicates": ("sha256",),
    "erasures": ("kind", "id_sha256"),
    "users": ("user_id",),
    "users_pii": ("user_id",),
    "interactions": ("event_date", "event_id"),
    "judgements": ("query_image_id", "image_id", "annotator"),
    "training_examples": ("snapshot", "example_id"),
    "embeddings": ("model_version", "image_id"),
    "view_features": ("model_version", "image_id"),
    "metrics": ("run", "metric", "subject", "slice"),
}
tables = pytest.mark.parametrize("table", table_names())
# Ids of things that are neither a user nor an image.
OTHER_IDS = {"event_id", "request_id", "example_id", "query_upload_id"}
NAMES_BY_NAME = re.compile(r"(^|_)(ids?|user|owner|uploader|viewer|annotator|author|image)$")
NAMES_BY_COMMENT = re.compile(r"^(the (user|image|picture|query)\b|who\b|stable id)|pseudonymous", re.IGNORECASE)


BAD = [
    ("images", "visibility", "'hidden'", "visibility_known"),
    ("images", "moderation", "'fine'", "moderation_known"),
    ("images", "width", "0", "sides_positive"),
    ("images", "sha256", "'00'", "sha256_hex"),
    ("image_files", "reason", "'too_small'", "read_or_refused"),
    ("image_pixels", "sha256", "repeat('0', 65)", "sha256_hex"),
    ("image_pixels", "jpeg", "X''", "jpeg_present"),
    ("images_awaited", "visibility", "'hidden'", "visibility_known"),
    ("images_awaited", "moderation", "'fine'", "moderation_known"),
    ("erasures", "kind", "'advertiser'", "kind_known"),
    ("erasures", "id_sha256", "'u-7'", "id_sha256_hex"),
    ("users_pii", "age", "131", "age_plausible"),
    ("interactions", "position", "0", "position_from_one"),
    ("interactions", "type", "'hover'", "type_known"),
    ("interactions", "dwell_ms", "-1", "dwell_not_negative"),
    ("interactions", "latitude", "90.1D", "latitude_in_range"),
    ("interactions", "longitude", "CAST('NaN' AS double)", "longitude_in_range"),
    ("interactions", "query_image_id", "CAST(NULL AS string)", "query_named"),
    ("interactions", "crop_x", "0.3D", "crop_inside"),
    ("interactions", "crop_y", "-0.1D", "crop_inside"),
    ("interactions", "crop_width", "CAST(NULL AS double)", "crop_inside"),
    ("interactions", "crop_height", "0D", "crop_inside"),
    ("judgements", "score", "6", "score_in_range"),
    ("judgements", "score", "-1", "score_in_range"),
    ("embeddings", "vector", "array(1F, 1F)", "vector_unit"),
    ("embeddings", "vector", "array(CAST('NaN' AS float), 1F)", "vector_unit"),
    ("embeddings", "vector", "array(0F, 0F)", "vector_unit"),
    ("view_features", "vectors", "array(0.6F, 0.8F)", "vectors_unit"),
    ("view_features", "vectors", "array(CAST('NaN' AS float), 1F)", "vectors_unit"),
    ("view_features", "views", "0", "vectors_unit"),
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
    nullable = {name for name in (*schema.key, *schema.partition_by) if columns[name].nullable}
    assert nullable == ({"subject"} if table == "metrics" else set())  # added later: older rows have none


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
def test_every_key_of_a_file_is_read(table):
    content = json.loads((PROJECT / "schemas" / f"{table}.json").read_text())
    assert set(content) == {"table", "comment", "key", "partition_by", "columns", "checks", "properties"}
    assert all(set(column) <= {field.name for field in fields(Column)} for column in content["columns"])


def test_an_unknown_table_has_no_schema():
    with pytest.raises(FileNotFoundError):
        table_schema("nothing")


def test_the_manifest_is_not_a_table():
    assert not [table for table in table_names() if table.startswith("manifest")]


def test_every_check_accepts_good_rows(spark):
    failed = _failing(spark, [(table, good(table), check) for table in table_names() for check in _checks(table)])
    assert failed == []


def test_every_check_refuses_a_row_that_breaks_it(spark):
    cases = [(table, {**good(table), column: value}, check) for table, column, value, check in BAD]
    assert _failing(spark, cases) == list(range(len(BAD)))


def test_every_check_is_broken_by_one_of_these_rows():
    assert {(table, check) for table, _, _, check in BAD} == {
        (table, check) for table in table_names() for check in _checks(table)
    }


def test_images_has_a_change_data_feed():
    assert table_schema("images").properties["delta.enableChangeDataFeed"] == "true"


def test_only_one_table_says_who_a_user_is():
    personal = {"username", "age", "email"}
    for table in table_names():
        present = personal & set(table_schema(table).names)
        assert present == (personal if table == "users_pii" else set())


@tables
def test_a_column_that_looks_like_an_id_says_whether_it_names_users_or_images(table):
    id_like = [
        c for c in table_schema(table).columns if NAMES_BY_NAME.search(c.name) or NAMES_BY_COMMENT.search(c.comment)
    ]
    assert [c.name for c in id_like if c.names is None and c.name not in OTHER_IDS] == []


@tables
def test_columns_that_name_users_or_images_hold_strings(table):
    naming = table_schema(table).naming
    assert set(naming.values()) <= {"user", "image"}
    assert {column.type for column in naming} <= {"string", "array<string>"}


@tables
def test_columns_that_identify_a_user_are_marked_as_personal(table):
    identifying = [c for c in table_schema(table).columns if c.names == "user" or c.name in ("email", "username")]
    assert [c.name for c in identifying if not c.personal] == []


@pytest.mark.parametrize("table", ["users", "users_pii"])
def test_all_columns_of_a_table_about_persons_are_personal(table):
    assert all(column.personal for column in table_schema(table).columns)


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ("images", {"owner_id", "uploaded_at", "upload_date", "tags", "source_uri"}),
        ("image_files", {"source_uri", "message"}),
        ("image_pixels", {"jpeg"}),
        ("embeddings", {"vector"}),
        ("view_features", {"vectors"}),
        ("judgements", {"annotator", "score"}),
        ("quarantine", {"source", "message", "payload"}),
        ("erasures", {"id_sha256"}),
        ("metrics", set()),
    ],
)
def test_personal_columns_of_other_tables_are_marked(table, expected):
    assert {column.name for column in table_schema(table).columns if column.personal} == expected


def test_where_when_and_what_a_user_did_is_personal():
    personal = {column.name for column in table_schema("interactions").columns if column.personal}
    assert personal >= {"latitude", "longitude", "occurred_at", "event_date", "query_image_id", "type", "dwell_ms"}
    assert personal & {"event_id", "position", "index_version", "variant"} == set()


def _checks(table: str) -> list[str]:
    return list(table_schema(table).checks)


def _failing(spark, cases) -> list[int]:
    """Return the numbers of the cases (table, row, check) that do not hold, with one query."""
    selects = []
    for number, (table, row, check) in enumerate(cases):
        columns = ", ".join(f"{value} AS {name}" for name, value in row.items())
        selects.append(
            f"SELECT {number} AS number, {table_schema(table).checks[check]} AS holds FROM (SELECT {columns})"
        )
    rows = spark.sql(" UNION ALL ".join(selects)).collect()
    return sorted(row["number"] for row in rows if row["holds"] is not True)
