"""Every difference between a stored table and its file is listed, and changed if the stored rows allow it."""

import subprocess
import sys
from dataclasses import replace

import pytest

from vsearch_lib.errors import SchemaMismatch
from vsearch_lib.figures import Figure
from vsearch_lib.lake import Lake, TableSchema, table_names, table_schema
from vsearch_lib.lake.differences import schema_differences
from vsearch_lib.lake.metrics import record
from vsearch_lib.lake.migration import check, migrate

NEW_METRICS = {"subject": "string", "n": "bigint", "low": "double", "high": "double"}
JUDGEMENT = "'q', 'i', 'ann', {score}, DATE '2026-11-01'"
CLICK = (
    "'e-1', 'u-1', 'a', NULL, 0.5D, 0D, 0.5D, 1D, 'b', 1, 'click', 9.5D, 9.5D, TIMESTAMP '2026-11-01 10:00:00', "
    "DATE '2026-11-01', 'r-1', 'v-1'"
)


def write(lake: Lake, schema: TableSchema, row: str = "") -> None:
    """Write a table as an older version of its file, or a stranger, would have described it."""
    columns = ", ".join(
        f"`{c.name}` {c.type}{'' if c.nullable else ' NOT NULL'} COMMENT {literal(c.comment)}" for c in schema.columns
    )
    checks = {f"delta.constraints.{name}": condition for name, condition in schema.checks.items()}
    properties = [f"'{name}' = {literal(value)}" for name, value in {**schema.properties, **checks}.items()]
    table = f"delta.`{lake.path(schema.table)}`"
    lake.spark.sql(
        f"CREATE TABLE {table} ({columns}) USING delta COMMENT {literal(schema.comment)}"
        + (f" PARTITIONED BY ({', '.join(schema.partition_by)})" if schema.partition_by else "")
        + (f" TBLPROPERTIES ({', '.join(properties)})" if properties else "")
    )
    if row:
        lake.spark.sql(f"INSERT INTO {table} VALUES ({row})")


def literal(text: str) -> str:
    return "'" + text.replace("'", "\\'") + "'"


def without(mapping: dict[str, str], name: str) -> dict[str, str]:
    return {key: value for key, value in mapping.items() if key != name}


def columns(schema: TableSchema, leave_out: tuple[str, ...] = (), **changes):
    """The columns of `schema`, without some and with others changed."""
    return tuple(replace(c, **changes.get(c.name, {})) for c in schema.columns if c.name not in leave_out)


def differences(lake: Lake) -> list[str]:
    return [str(difference) for difference in schema_differences(lake)]


def migrated(lake: Lake) -> list[str]:
    lines = []
    migrate(lake, lines.append)
    return lines


def test_a_lake_without_tables_has_no_differences(lake):
    assert differences(lake) == []
    assert migrated(lake) == [f"{lake.uri}: every table is what its file in schemas/ says"]
    assert not any(lake.exists(table) for table in table_names())


def test_tables_that_the_lake_has_created_have_no_differences(lake):
    for table in ("images", "images_awaited", "embeddings"):  # a property and partitions, a struct, a lambda
        lake.insert_new(table, lake.read(table))
        assert lake.exists(table)
    lines = []
    check(lake, lines.append)
    assert lines == [f"{lake.uri}: every table is what its file in schemas/ says"]


@pytest.fixture(scope="module")
def old_lake(spark, tmp_path_factory) -> Lake:
    """A lake with a table that has one row, and every kind of difference that a migration can change."""
    lake = Lake(spark, str(tmp_path_factory.mktemp("old") / "lake"), "run-1")
    schema = table_schema("interactions")
    old_columns = columns(
        schema, leave_out=("dwell_ms", "variant"), position={"comment": "Rank"}, index_version={"nullable": False}
    )
    old_checks = without(schema.checks, "dwell_not_negative")
    old_checks |= {"type_known": "type IN ('click')", "no_bots": "user_id != 'bot'"}
    write(lake, replace(schema, comment="A click", columns=old_columns, checks=old_checks), CLICK)
    return lake


DIFFERENCES = [
    "interactions: comment of column position is 'Rank', should be 'Rank on the page, from 1'",
    "interactions: column dwell_ms is missing, should be bigint",
    "interactions: column index_version is NOT NULL, should be nullable",
    "interactions: column variant is missing, should be string",
    "interactions: comment is 'A click', should be 'An impression or a click'",
    "interactions: check type_known is type IN ('click'), should be type IN ('impression', 'click')",
    "interactions: check dwell_not_negative is missing, should be dwell_ms IS NULL OR dwell_ms >= 0",
    "interactions: check no_bots is user_id != 'bot', should not be there",
]


def test_a_check_lists_every_difference_and_says_what_to_do(old_lake):
    lines = []
    with pytest.raises(SchemaMismatch, match=r"8 differences from schemas/; run vsearch schema migrate$"):
        check(old_lake, lines.append)
    assert lines == DIFFERENCES


def test_a_migration_makes_a_table_match_its_file_and_a_second_one_changes_nothing(old_lake):
    all_clear = f"{old_lake.uri}: every table is what its file in schemas/ says"
    assert migrated(old_lake) == [*(f"changed {difference}" for difference in DIFFERENCES), all_clear]
    assert differences(old_lake) == []
    stored = old_lake.spark.table(f"delta.`{old_lake.path('interactions')}`")
    assert stored.schema == table_schema("interactions").struct
    (row,) = stored.collect()
    assert (row["event_id"], row["position"], row["dwell_ms"], row["variant"]) == ("e-1", 1, None, None)

    version = old_lake.version("interactions")
    assert migrated(old_lake) == [all_clear]
    assert old_lake.version("interactions") == version

    with pytest.raises(Exception, match=r"(?i)dwell_not_negative"):
        old_lake.spark.sql(f"UPDATE delta.`{old_lake.path('interactions')}` SET dwell_ms = -1")


def test_fields_of_a_struct_are_migrated_and_keep_their_values(lake):
    schema = table_schema("images_awaited")
    said_on = {"type": "struct<owner_id: date, file: date, visibility: date, uploaded_at: date, deleted: date>"}
    row = ", ".join(
        [
            "'i', NULL, NULL, NULL, NULL, NULL, true",
            "named_struct('owner_id', DATE '2026-11-01', 'file', DATE '2026-11-02', 'visibility', NULL, "
            "'uploaded_at', NULL, 'deleted', DATE '2026-11-03')",
        ]
    )
    write(lake, replace(schema, columns=columns(schema, said_on=said_on)), row)
    assert differences(lake) == [
        "images_awaited: column said_on.tags is missing, should be date",
        "images_awaited: column said_on.moderation is missing, should be date",
        "images_awaited: fields of said_on are in the order owner_id, file, visibility, moderation, uploaded_at, tags, "
        "deleted, should be in the order file, owner_id, uploaded_at, tags, visibility, moderation, deleted",
    ]
    migrate(lake)
    assert differences(lake) == []
    (row,) = lake.read("images_awaited").collect()
    days = {name: day.day for name, day in row["said_on"].asDict().items() if day}
    assert days == {"owner_id": 1, "file": 2, "deleted": 3}


def test_columns_in_another_order_and_missing_properties_are_migrated(lake):
    schema = table_schema("images")
    write(lake, replace(schema, columns=schema.columns[::-1], properties={}, comment="Pictures"))
    listed = differences(lake)
    assert len(listed) == 3
    assert listed[0].startswith("images: columns are in the order said_on, deleted_at,")
    assert listed[1:] == [
        "images: comment is 'Pictures', should be \"An image's facts\"",
        "images: property delta.enableChangeDataFeed is not set, should be true",
    ]
    migrate(lake)
    assert differences(lake) == []
    assert lake.spark.table(f"delta.`{lake.path('images')}`").columns == list(schema.names)


def test_a_metrics_table_without_subjects_can_be_migrated_and_keeps_its_rows(lake):
    schema = table_schema("metrics")
    old = columns(schema, leave_out=("subject", "n", "low", "high"))
    time = "TIMESTAMP '2026-11-01 10:00:00'"
    write(
        lake,
        replace(schema, columns=old),
        f"'run-1', 'rows', 'all', 3.0D, {time}), ('run-0', 'rows', 'new', 4.0D, {time}",
    )
    with pytest.raises(SchemaMismatch, match=r"has no column subject, n, low, high; run vsearch schema check"):
        record(lake, [Figure("rows", 5)])
    missing = [f"metrics: column {name} is missing, should be {kind}" for name, kind in NEW_METRICS.items()]
    assert [line for line in differences(lake) if "comment" not in line] == missing
    migrated(lake)
    assert differences(lake) == []
    record(lake, [Figure("rows", 5, n=2, low=4, high=6)])
    record(lake, [Figure("rows", 6)])  # it replaces its own figure, and not the older one
    recorded = lake.read("metrics").drop("recorded_at").collect()
    assert set(map(tuple, recorded)) == {
        ("run-1", "rows", None, "all", None, 3.0, None, None),
        ("run-0", "rows", None, "new", None, 4.0, None, None),
        ("run-1", "rows", "all", "all", None, 6.0, None, None),
    }


def test_if_one_change_is_impossible_nothing_is_changed(lake):
    schema = table_schema("images")
    extra = replace(schema.columns[0], name="colour", nullable=True)
    changed = columns(schema, leave_out=("mode",), width={"type": "bigint"}, owner_id={"nullable": True})
    write(lake, replace(schema, columns=(*changed, extra), partition_by=(), properties={}, checks={}))
    write(lake, replace(table_schema("metrics"), comment="Figures"))
    versions = lake.version("images"), lake.version("metrics")
    refused = [
        "images: column owner_id may be null, should be NOT NULL",
        "images: column width is bigint, should be int",
        "images: column mode is missing, should be string NOT NULL, for which stored rows have no value",
        "images: column colour is string, should not be there",
        "images: partitioned by nothing, should be by upload_date",
    ]
    assert set(refused) < set(differences(lake))
    lines = []
    with pytest.raises(SchemaMismatch) as caught:
        migrate(lake, lines.append)
    assert f": {'; '.join(refused)}: " in str(caught.value)
    assert "Figures" not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert lines == []
    assert (lake.version("images"), lake.version("metrics")) == versions
    with pytest.raises(SchemaMismatch, match=r"11 differences from schemas/; migrate cannot make 5 of them"):
        check(lake, lines.append)


def test_a_check_that_stored_rows_break_is_refused(lake):
    schema = table_schema("judgements")
    write(lake, replace(schema, checks={}), JUDGEMENT.format(score=9))
    assert differences(lake) == [
        "judgements: check score_in_range is missing, should be score BETWEEN 0 AND 5, but rows break it: 1"
    ]
    with pytest.raises(SchemaMismatch, match="rows break it: 1"):
        migrate(lake)


def test_a_check_that_cannot_be_evaluated_on_the_stored_rows_is_refused(lake):
    schema = table_schema("judgements")
    stored = columns(schema, score={"type": "array<int>"})
    write(lake, replace(schema, checks={}, columns=stored), JUDGEMENT.format(score="array(1)"))
    kind, condition = differences(lake)
    assert kind == "judgements: column score is array<int>, should be int"
    assert "but the stored rows cannot be checked: [DATATYPE_MISMATCH" in condition


def test_a_check_with_a_lambda_is_refused_because_delta_cannot_add_it(lake):
    schema = table_schema("embeddings")
    write(lake, replace(schema, checks={}))
    (difference,) = differences(lake)
    assert difference.endswith("but Delta's ADD CONSTRAINT does not read lambdas")
    with pytest.raises(SchemaMismatch, match="lambdas"):
        migrate(lake)


def test_checks_that_are_added_by_a_migration_match_those_of_the_files(lake):
    for table in ("images", "training_examples"):
        write(lake, replace(table_schema(table), checks={}))
    assert len(differences(lake)) == 8
    migrate(lake)
    assert differences(lake) == []


def test_properties_that_no_file_names_are_not_differences(lake):
    schema = table_schema("metrics")
    write(lake, replace(schema, properties={"delta.logRetentionDuration": "interval 9 days", "team": "somebody"}))
    assert differences(lake) == []


def test_the_command_exits_with_1_if_there_are_differences_and_says_what_to_do(lake, settings):
    assert settings.lake.uri == lake.uri
    write(lake, replace(table_schema("metrics"), comment="Figures"))
    options = ["--env", "demo", "--set", f"var={settings.var}"]
    command = [sys.executable, "-m", "vsearch_lib.cli", "schema", "check", *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stdout) == (1, "metrics: comment is 'Figures', should be 'One figure of one run'\n")
    assert done.stderr == f"vsearch: {lake.uri}: 1 difference from schemas/; run vsearch schema migrate\n"
