"""A landing folder becomes tables: what is new is decoded once, what changed is merged, what is broken is listed."""

import hashlib
import io
import json
from datetime import date
from types import SimpleNamespace

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from PIL import Image

from vsearch_lib.errors import GateRefused

TABLES = ("images", "image_pixels", "quarantine")


def state(lake) -> SimpleNamespace:
    """Everything in the lake, and the version of each table."""
    return SimpleNamespace(
        images={row["image_id"]: row.asDict() for row in lake.read("images").collect()},
        pixels={row["sha256"]: row.asDict() for row in lake.read("image_pixels").collect()},
        quarantine={
            (row["source"].rsplit("/", 1)[-1], row["line"]): row.asDict() for row in lake.read("quarantine").collect()
        },
        version={table: lake.version(table) for table in TABLES},
    )


@pytest.fixture(scope="module")
def story(tmp_path_factory, make, ingest) -> dict[str, SimpleNamespace]:
    """The states of a lake after each of some nights."""
    landing = make.landing(tmp_path_factory.mktemp("story") / "landing")
    first = [make.row("a", tags=["old"]), make.row("twin"), make.row("c"), make.row("broken"), make.row("empty")]
    first += [make.row("missing"), "not json"]
    landing.put("date=2024-05-06/a.png", make.picture(1))
    landing.put("date=2024-05-06/twin.png", make.picture(1))
    landing.put("date=2024-05-06/c.png", make.picture(2))
    landing.put("date=2024-05-06/broken.png", make.picture(3)[:60])
    landing.put("date=2024-05-06/empty.png", b"")
    landing.put("date=2024-05-06/stray.png", make.picture(4))
    landing.describe(first, "date=2024-05-06/metadata.jsonl")
    states = {}

    def night(name: str) -> None:
        lake, figures = ingest(landing, name)
        states[name] = state(lake)
        states[name].figures = figures

    night("first")
    night("again")
    changes = [
        make.row("a", tags=["new"]),
        {"image_id": "c", "deleted": True},
        {"image_id": "unknown", "deleted": True},
    ]
    landing.describe([*first, *changes], "date=2024-05-06/metadata.jsonl")
    night("changed")
    landing.describe([make.row("c", tags=["back"]), make.row("new")], "date=2024-05-07/metadata.jsonl")
    landing.put("date=2024-05-07/c.png", make.picture(2))
    landing.put("date=2024-05-07/new.png", make.picture(5))
    night("restored")
    return states


def test_what_is_whole_becomes_images(story):
    images = story["first"].images
    assert sorted(images) == ["a", "c", "twin"]
    a = images["a"]
    assert (a["tags"], a["width"], a["height"], a["mode"], a["deleted_at"]) == (["old"], 30, 24, "RGB", None)
    assert str(a["upload_date"]) == "2024-05-06"


def test_an_image_points_at_its_pixels(story, make):
    first = story["first"]
    sha256 = hashlib.sha256(make.picture(1)).hexdigest()
    assert first.images["a"]["sha256"] == sha256
    stored = Image.open(io.BytesIO(first.pixels[sha256]["jpeg"]))
    assert (stored.format, stored.mode, stored.size) == ("JPEG", "RGB", (30, 24))
    assert first.pixels[sha256]["phash"] == first.images["a"]["phash"]


def test_the_same_bytes_are_stored_once(story):
    first = story["first"]
    assert first.images["a"]["sha256"] == first.images["twin"]["sha256"]
    assert len(first.pixels) == 2


@pytest.mark.parametrize(
    ("file", "line", "reason"),
    [
        ("broken.png", 0, "undecodable"),
        ("empty.png", 0, "empty_file"),
        ("stray.png", 0, "missing_metadata"),
        ("metadata.jsonl", 6, "missing_file"),
        ("metadata.jsonl", 7, "malformed_line"),
    ],
)
def test_what_is_broken_is_listed_with_its_place_and_reason(story, file, line, reason):
    row = story["first"].quarantine[file, line]
    assert (row["reason"], row["table"], row["run"]) == (reason, "images", "first")
    assert row["message"]


def test_nothing_else_is_listed_as_refused(story):
    assert len(story["first"].quarantine) == 5


def test_a_refused_line_is_kept(story):
    assert story["first"].quarantine["metadata.jsonl", 7]["payload"] == "not json"


def test_what_landed_is_accounted_for(story):
    assert story["first"].figures == {
        "images_landed": 8,
        "images_accepted": 3,
        "images_unchanged": 0,
        "images_duplicate": 0,
        "images_refused": 5,
        "images_passed_over": 0,
        "images_read": 5,
        "images_known": 3,
        "images_awaited": 0,
    }
    # Six good rows about a, twin, c and an image nobody knows; a, c and that one changed.
    names = ("landed", "accepted", "unchanged", "duplicate", "refused")
    assert [story["changed"].figures[f"images_{name}"] for name in names] == [11, 3, 1, 2, 5]


def test_a_second_run_reads_nothing_and_changes_no_table(story):
    assert story["again"].figures["images_read"] == 0
    assert story["again"].figures["images_unchanged"] == 3
    assert story["again"].version == story["first"].version
    assert story["again"].images == story["first"].images
    assert story["again"].quarantine == story["first"].quarantine


def test_changed_tags_leave_the_pixels_alone(story):
    changed = story["changed"]
    assert changed.images["a"]["tags"] == ["new"]
    assert changed.version["image_pixels"] == story["first"].version["image_pixels"]
    assert changed.figures["images_read"] == 0


def test_a_deletion_is_noted_and_keeps_the_facts(story):
    before, after = story["again"].images["c"], story["changed"].images["c"]
    assert after["deleted_at"].date() == date(2024, 5, 6)
    assert {**after, "deleted_at": None} == before
    assert story["changed"].figures["images_known"] == 2


def test_the_deletion_of_an_unknown_image_waits_for_it(story):
    assert "unknown" not in story["changed"].images
    assert story["changed"].figures["images_awaited"] == 1


def test_images_that_did_not_change_are_left_as_they_were(story):
    assert story["changed"].images["twin"] == story["first"].images["twin"]


def test_a_later_row_restores_a_deleted_image(story):
    c = story["restored"].images["c"]
    assert (c["deleted_at"], c["tags"]) == (None, ["back"])
    assert "date=2024-05-07" in c["source_uri"]


def test_bytes_that_land_again_under_another_name_are_not_stored_again(story):
    assert len(story["restored"].pixels) == len(story["first"].pixels) + 1


def test_a_known_refusal_is_not_tried_again(story):
    assert story["restored"].quarantine == story["first"].quarantine
    assert story["restored"].figures["images_read"] == 2  # c at its new place, and new


def test_a_run_that_refuses_too_much_changes_nothing(tmp_path, make, ingest):
    landing = make.landing(tmp_path / "photos")
    landing.put("good.png", make.picture(1))
    landing.put("bad.png", b"nonsense")
    with pytest.raises(GateRefused, match=r"1 of 2 .*quality\.max_refused_share") as caught:
        ingest(landing, "strict", "quality.max_refused_share=0.4")
    assert caught.value.exit_code == 3
    assert not (tmp_path / "lake").exists()
    (listed,) = (tmp_path / "reports").glob("refused-images-strict.jsonl")
    (item,) = [json.loads(line) for line in listed.read_text().splitlines()]
    assert (item["source"], item["line"], item["reason"]) == (f"{landing.folder}/bad.png", 0, "unsupported_format")
    assert str(listed) in str(caught.value)
    assert "unsupported_format: 1" in str(caught.value)


def test_nothing_landed_is_no_failure(tmp_path, make, ingest):
    landing = make.landing(tmp_path / "photos")
    landing.folder.rmdir()
    assert set(ingest(landing, "idle")[1].values()) == {0}


# Order


DAYS = [date(2024, 5, day) for day in (6, 7, 8, 9)]


@pytest.fixture(scope="module")
def days(tmp_path_factory, make):
    """Four days of one image's life, and what an image must look like at the end of it."""
    landing = make.landing(tmp_path_factory.mktemp("days") / "landing")
    for day in (6, 8):
        landing.put(f"date=2024-05-0{day}/a.png", make.picture(day))
        landing.put(f"date=2024-05-0{day}/b.png", make.picture(day))
    landing.describe(
        [make.row("a", tags=["first"], visibility="private"), make.row("b", moderation="blocked")],
        "date=2024-05-06/metadata.jsonl",
    )
    landing.describe(
        [{"image_id": "a", "tags": ["second"]}, {"image_id": "b", "deleted": True}], "date=2024-05-07/metadata.jsonl"
    )
    landing.describe([make.row("a"), make.row("b", owner_id="heir")], "date=2024-05-08/metadata.jsonl")
    landing.describe(
        [{"image_id": "b", "deleted": True}, {"image_id": "a", "moderation": "ok"}], "date=2024-05-09/metadata.jsonl"
    )
    return landing


@settings(max_examples=2, deadline=None, derandomize=True, phases=[Phase.generate])
@given(order=st.permutations(DAYS), again=st.lists(st.sampled_from(DAYS), max_size=2))
def test_days_in_any_order_and_again_give_the_same_images(days, ingest, tmp_path_factory, order, again):
    var = tmp_path_factory.mktemp("order")
    for number, day in enumerate([*order, *again]):
        lake, _ = ingest(days, f"run-{number}", f"var={var}", dates=(day,))
    images = {row["image_id"]: row.asDict(recursive=True) for row in lake.read("images").collect()}
    a, b = images["a"], images["b"]
    # What a later landing leaves unsaid stays: a private picture does not become public by an omission.
    assert (a["tags"], a["visibility"], a["moderation"], a["deleted_at"]) == (["second"], "private", "ok", None)
    assert (b["moderation"], b["owner_id"], b["deleted_at"].date()) == ("blocked", "heir", date(2024, 5, 9))
    for row in (a, b):
        assert row["source_uri"].startswith(f"{days.folder}/date=2024-05-08/")
        assert row["said_on"]["file"] == row["said_on"]["uploaded_at"] == date(2024, 5, 8)
    assert lake.read("images_awaited").isEmpty()


def test_the_stored_phash_and_facts_are_those_of_the_file_that_holds(days, ingest, make, tmp_path):
    lake, _ = ingest(days, "all", f"var={tmp_path}")
    hashes = {row["image_id"]: row["sha256"] for row in lake.read("images").collect()}
    assert set(hashes.values()) == {hashlib.sha256(make.picture(8)).hexdigest()}


# What is private


def test_on_one_day_what_keeps_a_picture_from_others_holds(tmp_path, make, ingest):
    landing = make.landing(tmp_path / "photos")
    landing.put("date=2024-05-06/a.png", make.picture(1))
    rows = [
        make.row("a", visibility="private", moderation="blocked"),
        {"image_id": "a", "visibility": "public", "moderation": "ok"},
    ]
    landing.describe(rows, "date=2024-05-06/metadata.jsonl")
    (a,) = ingest(landing, "first")[0].read("images").collect()
    assert (a["visibility"], a["moderation"]) == ("private", "blocked")
    landing.describe([{"image_id": "a", "visibility": "public", "moderation": "ok"}], "date=2024-05-07/metadata.jsonl")
    (a,) = ingest(landing, "second")[0].read("images").collect()
    assert (a["visibility"], a["moderation"]) == ("public", "ok")


def test_an_image_made_of_a_file_alone_is_withdrawn_when_metadata_of_the_file_lands(tmp_path, make, ingest):
    landing = make.landing(tmp_path / "photos")
    for number, name in enumerate(("a", "b", "c")):
        landing.put(f"date=2024-05-06/{name}.png", make.picture(number))
    landing.put("date=2024-05-07/d.png", make.picture(3))
    ingest(landing, "alone")
    rows = [make.row("a", visibility="private"), make.row("date=2024-05-06/c.png", file="c.png", visibility="private")]
    landing.describe(rows, "date=2024-05-06/metadata.jsonl")
    lake, _ = ingest(landing, "described")
    living = {row["image_id"]: row["visibility"] for row in lake.read("images").where("deleted_at IS NULL").collect()}
    assert living == {"a": "private", "date=2024-05-06/c.png": "private", "date=2024-05-07/d.png": "public"}


def test_a_refused_row_keeps_a_picture_from_others_as_much_as_an_accepted_one(tmp_path, make, ingest):
    landing = make.landing(tmp_path / "photos")
    for number, name in enumerate(("capital", "spelled", "change", "elsewhere", "broken", "open")):
        landing.put(f"date=2024-05-06/{name}.png", make.picture(number))
    landing.put("date=2024-05-06/bad.png", b"nonsense")
    public = [
        make.row(name, visibility="public") for name in ("capital", "spelled", "change", "elsewhere", "broken", "open")
    ]
    private = [
        make.row("other id", file="capital.png", visibility="Private"),
        make.row("another id", file="./spelled.png", visibility="Private"),
        {"image_id": "change", "visibility": "private", "uploaded_at": "yesterday"},
        make.row("elsewhere", file="gone.png", visibility="private"),
        make.row("broken", file="bad.png", visibility="private"),
    ]
    landing.describe([*public, *private], "date=2024-05-06/metadata.jsonl")
    lake, figures = ingest(landing, "night", "quality.max_refused_share=1")
    images = {row["image_id"]: row["visibility"] for row in lake.read("images").collect()}
    names = ("capital", "spelled", "change", "elsewhere", "broken")
    assert images == {**dict.fromkeys(names, "private"), "open": "public"}
    parts = ("accepted", "unchanged", "duplicate", "refused")
    assert figures["images_landed"] == sum(figures[f"images_{part}"] for part in parts)


def test_on_one_day_a_deletion_holds_whatever_its_file_is_called(tmp_path, make, ingest):
    landing = make.landing(tmp_path / "photos")
    landing.put("date=2024-05-06/a.png", make.picture(1))
    landing.describe([make.row("a")], "date=2024-05-06/metadata.jsonl")
    landing.describe([{"image_id": "a", "deleted": True}], "date=2024-05-06/metadata-deletions.jsonl")
    (a,) = ingest(landing, "night")[0].read("images").collect()
    assert a["deleted_at"] is not None


def test_a_retry_takes_in_all_that_is_said_of_an_image(tmp_path, make, ingest):
    landing = make.landing(tmp_path / "photos")
    landing.put("date=2024-05-06/a.png", make.picture(1))
    landing.describe([{"image_id": "a", "visibility": "private"}], "date=2024-05-06/metadata-1.jsonl")
    landing.describe([make.row("a", visibility="public")], "date=2024-05-06/metadata-2.jsonl")
    ingest(landing, "night", "image.max_bytes=10", "quality.max_refused_share=1")
    (a,) = ingest(landing, "retry", retry=True)[0].read("images").collect()
    assert a["visibility"] == "private"


def test_metadata_beside_the_days_is_read_with_each_of_them(tmp_path, make, ingest):
    landing = make.landing(tmp_path / "photos")
    for day in (6, 7):
        landing.put(f"date=2024-05-0{day}/a.png", make.picture(day))
    names = [f"date=2024-05-0{day}/a.png" for day in (6, 7)]
    before = {"uploaded_at": "2023-11-14T00:00:00Z", "visibility": "private"}
    landing.describe([make.row(f"a{n}", file=name, **before) for n, name in enumerate(names)])
    lake, figures = ingest(landing, "one day", dates=(date(2024, 5, 7),))
    assert {row["image_id"]: row["visibility"] for row in lake.read("images").collect()} == {"a1": "private"}
    assert (figures["images_landed"], figures["images_refused"]) == (1, 0)


def test_a_file_that_turns_out_to_be_about_pictures_refuses_those_beside_it(tmp_path, make, ingest):
    landing = make.landing(tmp_path / "photos")
    landing.put("a/one.png", make.picture(1))
    landing.put("a/delivery-stream-1-2024-05-06", b'{"file": "one.png", "visibility": "private"}')
    landing.put("b/two.png", make.picture(2))
    landing.put("b/README", b"holidays")
    for run in ("first", "again"):
        lake, _ = ingest(landing, run)
        assert {row["image_id"] for row in lake.read("images").collect()} == {"b/two.png"}
        refused = {row["source"].rpartition("/")[2]: row["reason"] for row in lake.read("quarantine").collect()}
        assert refused == {
            "one.png": "missing_metadata",
            "delivery-stream-1-2024-05-06": "unread_metadata",
            "README": "unsupported_format",
        }
        (tmp_path / "lake" / "done_before" / "ingest_images.json").unlink()


# Mending


def test_a_retry_reads_only_what_was_refused_and_takes_it_off_the_list(tmp_path, make, ingest):
    landing = make.landing(tmp_path / "photos")
    landing.put("good.png", make.picture(1))
    landing.put("large.png", make.picture(2))
    landing.put("broken.png", b"nonsense")
    limit = f"image.max_bytes={len(make.picture(2)) - 1}"
    lake, figures = ingest(landing, "first", limit)
    listed = {row["source"].rpartition("/")[2]: row["reason"] for row in lake.read("quarantine").collect()}
    assert listed.pop("broken.png") == "unsupported_format"
    assert set(listed.values()) == {"too_many_bytes"}
    assert ingest(landing, "night")[1]["images_read"] == 0
    lake, figures = ingest(landing, "retry", retry=True)
    assert figures["images_read"] == len(listed) + 1
    assert {row["image_id"] for row in lake.read("images").collect()} == {"good.png", "large.png"}
    (left,) = lake.read("quarantine").collect()
    assert left["source"].endswith("broken.png")


def test_a_mended_line_leaves_the_list_when_its_file_is_read_again(tmp_path, make, ingest):
    landing = make.landing(tmp_path / "photos")
    landing.put("date=2024-05-06/a.png", make.picture(1))
    landing.describe([{**make.row("a"), "owner_id": None}], "date=2024-05-06/metadata.jsonl")
    lake, _ = ingest(landing, "first", "quality.max_refused_share=1")
    assert lake.read("quarantine").count() == 1
    landing.describe([make.row("a")], "date=2024-05-06/metadata.jsonl")
    lake, _ = ingest(landing, "second")
    assert lake.read("quarantine").isEmpty()
    assert lake.read("images").count() == 1


def test_a_replaced_file_is_read_again(tmp_path, make, ingest):
    landing = make.landing(tmp_path / "photos")
    landing.put("a.png", make.picture(1)[:50])
    ingest(landing, "first", "quality.max_refused_share=1")
    landing.put("a.png", make.picture(1))
    lake, _ = ingest(landing, "second")
    assert lake.read("images").count() == 1
    assert lake.read("quarantine").isEmpty()
