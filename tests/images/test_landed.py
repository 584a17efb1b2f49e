"""A landed picture becomes one row with its owner and file, accepted or with the reason of its refusal."""

from datetime import date
from pathlib import Path

import pytest

from vsearch_lib.images.kept_private import make_private
from vsearch_lib.images.landed import landed_images
from vsearch_lib.images.metadata import may_be_metadata, sort_files
from vsearch_lib.landing.listing import list_landed

ODD = "odd [a] {b} #1 50% %20 a+b größe 東京"


def collected(spark, uri, dates=None) -> dict[str, dict]:
    """Landed rows as dictionaries, by image id; a row without an id by file and line."""
    listing = list_landed(str(uri), dates, never_clutter=may_be_metadata)
    rows = [row.asDict() for row in make_private(landed_images(spark, listing, sort_files(listing))).collect()]
    rows_by_id = {row["image_id"] or f"{Path(row['source']).name}:{row['line']}": row for row in rows}
    assert len(rows_by_id) == len(rows)
    return rows_by_id


@pytest.fixture(scope="module")
def described(spark, tmp_path_factory, make) -> dict[str, dict]:
    landing = make.landing(tmp_path_factory.mktemp("landing"))
    day = "date=2024-05-06"
    for name in ("a.png", "bare.png", "tags.png", "hidden.png", "blocked.png", "stray.png", f"{ODD}/{ODD}.png"):
        landing.put(f"{day}/{name}", make.picture(1))
    landing.describe(
        [
            "",
            make.row("a", tags=["red", "dr,ess"], visibility="private", moderation="ok"),
            {"image_id": "bare", "file": "bare.png", "owner_id": "o", "uploaded_at": "2024-05-06T23:30:00+02:00"},
            "",
            "not json",
            make.row("tags", tags="0ne| 1wo ,three2,"),
            make.row("hidden", visibility="hidden"),
            make.row("blocked", moderation="perhaps"),
            make.row("missing"),
            make.row("", file="a.png"),
            {**make.row("nobody", file="a.png"), "owner_id": None},
            {**make.row("never", file="a.png"), "uploaded_at": None},
            {"image_id": "nofile"},
            {"image_id": "gone", "deleted": True},
            make.row("odd", file=f"{ODD}/{ODD}.png"),
            {"image_id": "change", "tags": ["x"]},
            make.row("early", file="a.png", uploaded_at="2024-05-08T00:00:00Z"),
            make.row("number", file="a.png", uploaded_at=5),
        ],
        f"{day}/metadata.jsonl",
    )
    landing.put(
        "date=2024-05-07/metadata.csv",
        b'image_id,file,owner_id,uploaded_at,tags,deleted\nb,b.png,o,2024-05-07T00:00:00Z,"x|y, z",\nwent,,,,,true\n'
        b'c,c.png,o,2024-05-07T00:00:00Z,"[""p"", ""q""]",false\n',
    )
    for name in ("b", "c"):
        landing.put(f"date=2024-05-07/{name}.png", make.picture(2))
    rows_by_id = collected(spark, landing.folder)
    rows_by_id["folder"] = {"path": str(landing.folder), "day": f"{landing.folder}/{day}"}
    return rows_by_id


def test_a_row_whose_file_landed_is_accepted(described):
    row = described["a"]
    assert (row["reason"], row["owner_id"], row["deleted"]) == (None, "owner", False)
    assert row["source_uri"] == described["folder"]["day"] + "/a.png"
    assert row["source_bytes"] == Path(row["source_uri"]).stat().st_size
    assert row["source_modified_at"].timestamp() == 1_700_000_000
    assert (row["visibility"], row["moderation"]) == ("private", "ok")


def test_a_row_has_its_source_and_line(described):
    assert described["bare"]["source"] == described["folder"]["day"] + "/metadata.jsonl"
    assert described["bare"]["line"] == 3
    assert described["tags"]["line"] == 6


def test_fields_that_a_row_omits_are_null_but_a_row_with_a_file_is_not_deleted(described):
    row = described["bare"]
    assert (row["visibility"], row["moderation"], row["tags"], row["deleted"]) == (None, None, None, False)
    assert described["change"]["deleted"] is None


def test_the_landing_day_of_a_statement_is_that_of_its_partition(described):
    assert described["bare"]["landed_on"] == described["stray.png:0"]["landed_on"] == date(2024, 5, 6)
    assert described["b"]["landed_on"] == date(2024, 5, 7)


def test_a_change_needs_no_file(described):
    row = described["change"]
    assert (row["tags"], row["reason"], row["source_uri"]) == (["x"], None, None)


def test_upload_times_are_converted_from_their_time_zone(described):
    assert described["bare"]["uploaded_at"].timestamp() == 1_715_031_000  # 21:30 UTC


def test_tags_may_be_a_list_or_a_text_with_separators(described):
    assert described["tags"]["tags"] == ["0ne", "1wo", "three2"]
    assert described["b"]["tags"] == ["x", "y", "z"]
    assert described["c"]["tags"] == ["p", "q"]


@pytest.mark.parametrize(
    ("name", "reason", "line"),
    [
        ("metadata.jsonl:5", "malformed_line", 5),
        ("hidden", "value_not_allowed", 7),
        ("blocked", "value_not_allowed", 8),
        ("missing", "missing_file", 9),
        ("nobody", "missing_field", 11),
        ("never", "missing_field", 12),
        ("nofile", "missing_field", 13),
        ("early", "time_in_future", 17),
        ("number", "malformed_line", 18),
    ],
)
def test_a_refused_row_has_its_reason_and_line(described, name, reason, line):
    assert (described[name]["reason"], described[name]["line"]) == (reason, line)


def test_a_refused_line_keeps_its_text(described):
    assert described["metadata.jsonl:5"]["text"] == "not json"


def test_a_file_that_no_row_names_is_refused_as_a_whole(described):
    row = described["stray.png:0"]
    assert (row["reason"], row["line"], row["image_id"]) == ("missing_metadata", 0, None)
    assert row["source"] == row["source_uri"] == described["folder"]["day"] + "/stray.png"


def test_a_deletion_needs_only_an_id(described):
    for name in ("gone", "went"):
        assert (described[name]["deleted"], described[name]["reason"]) == (True, None)


def test_rows_are_joined_to_files_with_unusual_names(described):
    assert described["odd"]["reason"] is None
    assert described["odd"]["source_uri"] == f"{described['folder']['day']}/{ODD}/{ODD}.png"


def test_an_empty_id_is_refused(described):
    assert described["metadata.jsonl:10"]["reason"] == "missing_field"


def test_dates_choose_the_partitions_that_are_read(spark, described):
    rows = collected(spark, described["folder"]["path"], [date(2024, 5, 7)])
    assert sorted(rows) == ["b", "c", "went"]


# A folder without metadata


@pytest.fixture(scope="module")
def plain(tmp_path_factory, make) -> Path:
    landing = make.landing(tmp_path_factory.mktemp("my photos [2024] #1"))
    landing.put("top.png", make.picture(1))
    landing.put(f"dogs/{ODD}/b.png", make.picture(2))
    landing.put("dogs/.hidden.png", make.picture(3))
    return landing.folder


@pytest.mark.parametrize("prefix", ["", "file:", "file://"])
def test_without_metadata_the_id_is_the_path_and_the_tags_are_the_folders(spark, plain, prefix):
    rows = collected(spark, f"{prefix}{plain}")
    assert sorted(rows) == [f"dogs/{ODD}/b.png", "top.png"]
    assert rows["top.png"]["tags"] == []
    assert rows[f"dogs/{ODD}/b.png"]["tags"] == ["dogs", ODD]


def test_without_metadata_the_facts_come_from_the_file_alone(spark, plain):
    row = collected(spark, f"{plain}/")["top.png"]
    assert (row["visibility"], row["moderation"], row["owner_id"]) == (None, None, "unknown")
    assert row["uploaded_at"] == row["source_modified_at"]
    assert (row["reason"], row["deleted"], row["line"]) == (None, False, 0)


def test_folders_with_and_without_metadata_may_be_mixed(spark, tmp_path, make):
    landing = make.landing(tmp_path / "mixed")
    landing.put("date=2024-05-06/dogs/plain.png", make.picture(1))
    landing.put("date=2024-05-07/named.png", make.picture(2))
    landing.put("date=2024-05-07/below/unnamed.png", make.picture(3))
    landing.describe([make.row("named")], "date=2024-05-07/metadata.jsonl")
    rows = collected(spark, landing.folder)
    assert rows["date=2024-05-06/dogs/plain.png"]["reason"] is None
    assert rows["date=2024-05-06/dogs/plain.png"]["tags"] == ["dogs"]
    assert rows["named"]["reason"] is None
    assert rows["unnamed.png:0"]["reason"] == "missing_metadata"


def test_a_picture_with_one_private_row_is_private_even_if_another_row_is_public(spark, tmp_path, make):
    landing = make.landing(tmp_path / "twice")
    landing.put("date=2024-05-06/below/a.png", make.picture(1))
    landing.put("date=2024-05-06/b.png", make.picture(2))
    landing.describe([make.row("a", visibility="private")], "date=2024-05-06/below/Metadata.json")
    landing.describe(
        [
            make.row("again", file="below/a.png", visibility="public"),
            make.row("b", visibility="public"),
            make.row("same b", file="b.png", visibility="hidden"),
        ],
        "date=2024-05-06/metadata.jsonl",
    )
    rows = collected(spark, landing.folder)
    assert {name: row["visibility"] for name, row in rows.items() if row["reason"] is None} == {
        "a": "private",
        "again": "private",
        "b": "private",
    }


def test_pictures_beside_and_below_an_unread_metadata_file_are_refused(spark, tmp_path, make):
    landing = make.landing(tmp_path / "unread")
    for name in ("a/one.png", "a/below/two.png", "b/three.png"):
        landing.put(name, make.picture(len(name)))
    landing.put("a/metadata.xlsx", b"PK\x03\x04")
    rows = collected(spark, landing.folder)
    assert {name: row["reason"] for name, row in rows.items()} == {
        "one.png:0": "missing_metadata",
        "two.png:0": "missing_metadata",
        "metadata.xlsx:0": "unread_metadata",
        "b/three.png": None,
    }
