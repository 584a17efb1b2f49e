"""A row is joined to its file in any spelling of one name, and never to a file with another name."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsearch_lib.images.landed import landed_images
from vsearch_lib.images.metadata import may_be_metadata, sort_files
from vsearch_lib.images.near_names import spelling, with_near_names
from vsearch_lib.landing.listing import list_landed

DAY = "date=2026-11-01"


def nfd(text: str) -> str:
    return unicodedata.normalize("NFD", text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("/a/Käse.jpg", nfd("/a/Käse.jpg")),
        ("/a/sub/c.jpg", "/a/sub\\c.jpg"),
        ("/a/./d.jpg", "/a/d.jpg"),
        ("/a/b/../d.jpg", "/a//d.jpg"),
        ("s3a://bucket/a/./b.jpg", "s3a://bucket/a/b.jpg"),
    ],
)
def test_spellings_of_one_name_are_equal(one, other):
    assert spelling(one) == spelling(other)


@pytest.mark.parametrize(("one", "other"), [("/a/IMG.jpg", "/a/img.jpg"), ("/a/e.jpg", "/a/é.jpg"), ("/a b", "/a%20b")])
def test_different_names_stay_different(one, other):
    assert spelling(one) != spelling(other)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
def test_the_spelling_of_a_spelling_is_the_same(path):
    assert spelling(spelling(f"/{path}")) == spelling(f"/{path}")


@pytest.fixture(scope="module")
def rows(spark, tmp_path_factory, make):
    landing = make.landing(tmp_path_factory.mktemp("near") / "landing")
    for n, name in enumerate((nfd("Käse"), "IMG_1", "sub/c", "d", "twice/é", nfd("twice/é"), "lone")):
        landing.put(f"{DAY}/{name}.png", make.picture(n))
    landing.put("outside.png", make.picture(9))
    landing.put("plain/below.png", make.picture(10))
    landing.put("plain/unnamed.png", make.picture(11))
    # Its file is from 2023, so the row's upload time is after its landing day.
    landing.describe([make.row("below", visibility="private")], "plain/about/pictures/metadata.jsonl")
    landing.describe(
        [
            make.row("kaese", file="Käse.png"),
            make.row("case", file="img_1.png"),
            make.row("windows", file="sub\\c.png"),
            make.row("dot", file="./d.png"),
            make.row("e", file="twice/é.png"),
            make.row("outside", file="../outside.png", visibility="private"),
            make.row("gone", file="gone.png"),
        ],
        f"{DAY}/metadata.jsonl",
    )
    listing = list_landed(str(landing.folder), never_clutter=may_be_metadata)
    rows = with_near_names(landed_images(spark, listing, sort_files(listing))).collect()
    assert len(rows) == 13
    return {row["image_id"] or row["source"].rsplit("/", 1)[-1]: row for row in rows}


@pytest.mark.parametrize(
    ("image_id", "file"),
    [("kaese", nfd("Käse.png")), ("windows", "c.png"), ("dot", "d.png"), ("e", "é.png"), ("outside", "outside.png")],
)
def test_a_row_is_joined_to_its_file_in_another_spelling(rows, image_id, file):
    row = rows[image_id]
    assert (row["reason"], row["message"], row["source_uri"].rsplit("/", 1)[-1]) == (None, None, file)
    assert None not in (row["source_bytes"], row["source_modified_at"], row["file_landed_on"])


def test_the_message_of_a_row_that_differs_in_case_has_the_similar_name(rows):
    assert rows["case"]["reason"] == "missing_file"
    assert rows["case"]["message"].endswith("similar name: IMG_1.png")
    assert rows["IMG_1.png"]["reason"] == "missing_metadata"
    assert rows["IMG_1.png"]["message"].endswith("a row has a similar name: metadata.jsonl:2")


def test_other_rows_and_files_do_not_change(rows):
    assert rows["gone"]["reason"] == "missing_file"
    assert rows["lone.png"]["reason"] == "missing_metadata"
    assert rows[nfd("é.png")]["reason"] == "missing_metadata"


def test_a_private_row_of_another_folder_makes_its_picture_private(rows):
    assert rows["outside"]["visibility"] == "private"
    assert "outside.png" not in rows


def test_a_picture_above_metadata_that_may_describe_it_is_refused(rows):
    assert rows["below"]["reason"] == "time_in_future"
    assert rows["plain/below.png"]["reason"] == "missing_metadata"
    assert rows["plain/unnamed.png"]["reason"] is None
