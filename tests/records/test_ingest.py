"""Every kind of record lands the same way: accepted once, or refused with what is needed to mend it."""

from hashlib import sha256

import pytest

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
    landed = landed_records(spark, kind, Listing("/landing"), table_schema(kind.table).names, lake.read("erasures"))
    assert set(table_schema(kind.table).names) <= set(landed.accepted.columns)


@kinds
def test_whose_data_a_record_is_stands_in_its_columns(kind):
    assert set(kind.about) <= set(table_schema(kind.table).names)
    assert set(kind.about.values()) <= {"user", "image"}


def test_a_refused_line_is_kept_with_its_file_and_line(read_records):
    (row,) = read_records(JUDGEMENTS, {"a b.jsonl": ["not json"]}).refused.values()
    assert (row["payload"], row["line"]) == ("not json", 1)
    assert row["source"].startswith("/")
    assert row["source"].endswith("/a b.jsonl")


def test_what_lands_of_the_erased_is_refused_and_not_kept(read_records, event):
    erased = [("user", sha256(b"gone").hexdigest()), ("image", sha256(b"lost").hexdigest())]
    lines = [event("a", user_id="gone"), event("b", displayed_image_id="lost"), event("c", user_id="lost"), "gone"]
    landed = read_records(INTERACTIONS, {"a.jsonl": lines}, erased)
    assert sorted(landed.accepted) == ["c"]
    assert {line: (row["reason"], row["payload"]) for (_, line), row in landed.refused.items()} == {
        1: ("erased", None),
        2: ("erased", None),
        4: ("malformed_line", "gone"),
    }
