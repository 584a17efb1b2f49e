"""Lists for people: written and read again, shown as pictures of what everybody may see."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from tests.support.stored_pictures import image
from vsearch_lib.measure.profile.curation import (
    PROFILE_LISTS,
    Entry,
    as_lines,
    curation_blocks,
    doubt_entries,
    picture_entries,
    read_lines,
    shown_images,
)
from vsearch_lib.measure.profile.figures import BLURRED_BELOW, DARK_BELOW
from vsearch_lib.measure.profile.mislabelled import Doubt
from vsearch_lib.measure.profile.tags import RedundantPair
from vsearch_lib.report.page import Table
from vsearch_lib.report.pictures import Gallery
from vsearch_lib.run_ids import version_of

PAIRS = [RedundantPair("mug", "cup", 12, 1.0, 0.857)]
ENTRIES = [
    Entry("near-duplicates", ("a", "b"), "2 images that look the same"),
    Entry("near-duplicates", ("c", "gone"), "2 images that look the same"),
    Entry("blurred", ("a",), "sharpness 3.4"),
    Entry("dark", ("gone",), "brightness 2.0"),
    Entry("wrong tag", ("é\n",), "mug: 0% of neighbours"),
]


def test_lists_are_read_as_they_were_written_one_entry_a_line():
    lines = as_lines(ENTRIES, PAIRS)
    assert read_lines(lines) == (ENTRIES, PAIRS)
    assert [json.loads(line)["list"] for line in lines.decode().split("\n")[:-1]] == [
        *(entry.list for entry in ENTRIES),
        "redundant tags",
    ]


def test_the_name_of_the_file_is_recognised():
    assert PROFILE_LISTS.fullmatch(f"profile-{version_of('run')}.jsonl")
    assert not PROFILE_LISTS.fullmatch("profile-x.html")


def test_only_images_with_a_picture_are_shown_and_a_group_needs_two():
    jpegs = dict.fromkeys(("a", "b", "c", "é\n"), b"jpeg")
    assert shown_images(ENTRIES) == sorted({"a", "b", "c", "gone", "é\n"})
    twins, blurred, wrong, table = curation_blocks(ENTRIES, PAIRS, jpegs)
    assert [gallery.title for gallery in (twins, blurred, wrong)] == [
        "Near-duplicates",
        "Blurred",
        "Tags that may be wrong",
    ]
    assert isinstance(twins, Gallery)
    assert [[picture.image_id for picture in pictures] for _, pictures in twins.groups] == [["a", "b"]]
    assert isinstance(table, Table)
    assert table.rows == [("mug", "cup", "12", "1.000", "0.857")]


def test_doubts_become_entries_by_kind():
    doubts = [Doubt("a", "mug", "missing", 0.9), Doubt("b", "lamp", "wrong", 0.1)]
    assert doubt_entries(doubts) == [
        Entry("wrong tag", ("b",), "lamp: 10% of neighbours"),
        Entry("missing tag", ("a",), "mug: 90% of neighbours"),
    ]


@pytest.fixture
def lists(spark):
    """Six public images, of which two have the same bytes and two are near-duplicates, and some that nobody may see."""
    rows = [image(name, f"sha-{name}") for name in "abcde"]
    rows += [image("f", "sha-a"), image("private", "sha-a", visibility="private")]
    rows += [image("blocked", "sha-b", moderation="blocked"), image("deleted", "sha-c", deleted_at=datetime.now(UTC))]
    columns = ("image_id", "sha256", "visibility", "moderation", "deleted_at")
    kinds = "image_id string, sha256 string, visibility string, moderation string, deleted_at timestamp"
    images = spark.createDataFrame([[row[column] for column in columns] for row in rows], kinds)
    looks = [
        ("a", 99, 99),
        ("b", BLURRED_BELOW - 1, 99),
        ("c", 5, 99),
        ("d", 99, DARK_BELOW - 1),
        ("e", BLURRED_BELOW, DARK_BELOW),
    ]
    pixels = spark.createDataFrame(
        [(f"sha-{name}", float(sharp), float(bright)) for name, sharp, bright in looks],
        "sha256 string, sharpness double, brightness double",
    )
    groups = spark.createDataFrame([("sha-d", "sha-d"), ("sha-e", "sha-d")], "sha256 string, group_sha256 string")
    return picture_entries(images, pixels, groups)


def test_near_duplicates_blurred_and_dark_pictures_that_everybody_may_see_are_listed(lists):
    assert lists == [
        Entry("near-duplicates", ("a", "f"), "2 images that look the same"),
        Entry("near-duplicates", ("d", "e"), "2 images that look the same"),
        Entry("blurred", ("c",), "sharpness 5.0"),
        Entry("blurred", ("b",), "sharpness 29.0"),
        Entry("dark", ("d",), "brightness 44.0"),
    ]
