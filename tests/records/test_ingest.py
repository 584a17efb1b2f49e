"""Every kind of record lands the same way: accepted once, or refused with what is needed to mend it."""

from datetime import UTC, datetime

import pytest

from vsearch_lib.lake import table_schema
from vsearch_lib.records.ingest import landed_records, refused_rows
from vsearch_lib.records.interactions import INTERACTIONS
from vsearch_lib.records.judgements import JUDGEMENTS
from vsearch_lib.records.users import USERS

kinds = pytest.mark.parametrize("kind", [INTERACTIONS, JUDGEMENTS, USERS], ids=lambda kind: kind.table)


@kinds
def test_a_kind_has_the_key_of_its_table(kind):
    assert kind.key == table_schema(kind.table).key


@kinds
def test_a_kind_gives_every_column_of_its_table(spark, kind):
    landed = landed_records(spark, kind, [])
    try:
        assert set(table_schema(kind.table).names) <= set(landed.accepted.columns)
    finally:
        landed.checked.unpersist()


def test_a_refused_line_is_kept_with_its_run_file_and_time(read_records):
    (row,) = read_records(JUDGEMENTS, {"a b.jsonl": ["not json"]}).refused.values()
    assert (row["payload"], row["run"], row["table"]) == ("not json", "run-9", "judgements")
    assert row["source"].startswith("/")
    assert row["source"].endswith("/a b.jsonl")
    assert row["first_seen"] is not None


def test_refused_rows_are_rows_of_the_quarantine(spark):
    landed = landed_records(spark, USERS, [])
    try:
        rows = refused_rows(landed, "users", "run", datetime.now(UTC))
        assert rows.columns == list(table_schema("quarantine").names)
    finally:
        landed.checked.unpersist()
