"""Every kind of record is ingested in the same way: accepted once, or refused with the data needed to repair it."""

from hashlib import sha256

import pytest
from pyspark.sql.types import StructType

from vsearch_lib.lake import table_schema
from vsearch_lib.landing.listing import Listing
from vsearch_lib.records.ingest import landed_records
from vsearch_lib.records.interactions import INTERACTIONS
from vsearch_lib.records.judgements import JUDGEMENTS
from vsearch_lib.records.users import USERS

kinds = pytest.mark.parametrize("kind", [INTERACTIONS, JUDGEMENTS, USERS], ids=lambda kind: kind.table)


@kinds
def test_a_kind_has_the_key_of_its_table(kind):
    assert kind.key == table_schema(kind.table).key


@kinds
def test_a_kind_gives_every_column_of_its_table(spark, kind, lake):
    landed = landed_records(spark, kind, Listing("/landing"), table_schema(kind.table), lake.read("erasures"))
    assert set(table_schema(kind.table).names) <= set(landed.accepted.columns)


@kinds
def test_each_user_or_image_that_a_record_names_is_a_field_of_the_line(spark, kind):
    fields = {field.name: field.dataType.simpleString() for field in StructType.fromDDL(kind.fields)}
    named = {column.name: column.type for column in table_schema(kind.table).naming}
    assert named
    assert named.items() <= fields.items(), "erased ids are searched before other columns are added"


def test_a_refused_line_has_its_text_its_file_and_its_line_number(read_records):
    (row,) = read_records(JUDGEMENTS, {"a b.jsonl": ["not json"]}).refused.values()
    assert (row["payload"], row["line"]) == ("not json", 1)
    assert row["source"].startswith("/")
    assert row["source"].endswith("/a b.jsonl")


def test_records_about_the_erased_are_refused_and_their_text_is_not_stored(read_records, event):
    erased = [("user", sha256(b"gone").hexdigest()), ("image", sha256(b"lost").hexdigest())]
    lines = [event("a", user_id="gone"), event("b", displayed_image_id="lost"), event("c", user_id="lost"), "gone"]
    landed = read_records(INTERACTIONS, {"a.jsonl": lines}, erased)
    assert sorted(landed.accepted) == ["c"]
    assert {line: (row["reason"], row["payload"]) for (_, line), row in landed.refused.items()} == {
        1: ("erased", None),
        2: ("erased", None),
        4: ("malformed_line", "gone"),
    }
