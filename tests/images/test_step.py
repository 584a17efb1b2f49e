"""A landing folder becomes tables: new files are decoded once, changes are merged, and broken files are listed."""

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
    """The rows of the lake, and the version of each table."""
    return SimpleNamespace(
        images={row["image_id"]: row.asDict() for row in lake.read("images").collect()},
        pixels={row["sha256"]: row.asDict() for row in lake.read("image_pixels").collect()},
        quarantine={
            (row["source"].rsplit("/", 1)[-1], row["line"]): row.asDict() for row in lake.read("quarantine").collect()
        },
        version={table: lake.version(table) for table in TABLES},
    )


@pytest.fixture(scope="module")
def nights(tmp_path_factory, make, ingest) -> dict[str, SimpleNamespace]:
    """The states of a lake after each of four nights."""
    landing = make.landing(tmp_path_factory.mktemp("nights") / "landing")
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


def test_intact_pictures_become_images(nights):
    images = nights["first"].images
    assert sorted(images) == ["a", "c", "twin"]
    a = images["a"]
    assert (a["tags"], a["width"], a["height"], a["mode"], a["deleted_at"]) == (["old"], 30, 24, "RGB", None)
    assert str(a["upload_date"]) == "2024-05-06"


def test_an_image_refers_to_its_pixels(nights, make):
    first = nights["first"]
    sha256 = hashlib.sha256(make.picture(1)).hexdigest()
    assert first.images["a"]["sha256"] == sha256
    stored = Image.open(io.BytesIO(first.pixels[sha256]["jpeg"]))
    assert (stored.format, stored.mode, stored.size) == ("JPEG", "RGB", (30, 24))
    assert first.pixels[sha256]["phash"] == first.images["a"]["phash"]


def test_the_same_bytes_are_stored_once(nights):
    first = nights["first"]
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
def test_refused_items_are_listed_with_source_line_and_reason(nights, file, line, reason):
    row = nights["first"].quarantine[file, line]
    assert (row["reason"], row["table"], row["run"]) == (reason, "images", "first")
    assert row["message"]


def test_no_other_item_is_listed_as_refused(nights):
    assert len(nights["first"].quarantine) == 5


def test_the_text_of_a_refused_line_is_stored(nights):
    assert nights["first"].quarantine["metadata.jsonl", 7]["payload"] == "not json"


def test_the_figures_account_for_all_landed_items(nights):
    assert nights["first"].figures == {
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
    # Six good rows about a, twin, c and an unknown image; a, c and the unknown one changed.
    names = ("landed", "accepted", "unchanged", "duplicate", "refused")
    assert [nights["changed"].figures[f"images_{name}"] for name in names] == [11, 3, 1, 2, 5]


def test_a_second_run_reads_nothing_and_changes_no_table(nights):
    assert nights["again"].figures["images_read"] == 0
    assert nights["again"].figures["images_unchanged"] == 3
    assert nights["again"].version == nights["first"].version
    assert nights["again"].images == nights["first"].images
    assert nights["again"].quarantine == nights["first"].quarantine


def test_changed_tags_do_not_rewrite_the_pixels(nights):
    changed = nights["changed"]
    assert changed.images["a"]["tags"] == ["new"]
    assert changed.version["image_pixels"] == nights["first"].version["image_pixels"]
    assert changed.figures["images_read"] == 0


def test_a_deleted_image_keeps_its_facts(nights):
    before, after = nights["again"].images["c"], nights["changed"].images["c"]
    assert after["deleted_at"].date() == date(2024, 5, 6)
    assert {**after, "deleted_at": None} == before
    assert nights["changed"].figures["images_known"] == 2


def test_the_deletion_of_an_unknown_image_waits_for_the_image(nights):
    assert "unknown" not in nights["changed"].images
    assert nights["changed"].figures["images_awaited"] == 1


def test_images_without_changes_keep_their_rows(nights):
    assert nights["changed"].images["twin"] == nights["first"].images["twin"]


def test_a_later_row_restores_a_deleted_image(nights):
    c = nights["restored"].images["c"]
    assert (c["deleted_at"], c["tags"]) == (None, ["back"])
    assert "date=2024-05-07" in c["source_uri"]


def test_the_same_bytes_under_another_name_are_not_stored_again(nights):
    assert len(nights["restored"].pixels) == len(nights["first"].pixels) + 1


def test_a_refused_file_is_not_read_again(nights):
    assert nights["restored"].quarantine == nights["first"].quarantine
    assert nights["restored"].figures["images_read"] == 2  # c at its new path, and new


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


def test_an_empty_landing_zone_is_not_an_error(tmp_path, make, ingest):
    landing = make.landing(tmp_path / "photos")
    landing.folder.rmdir()
    assert set(ingest(landing, "idle")[1].values()) == {0}


# Order


DAYS = [date(2024, 5, day) for day in (6, 7, 8, 9)]


@pytest.fixture(scope="module")
def days(tmp_path_factory, make):
    """A landing of four days with changes of two images."""
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
def test_days_in_any_order_and_repeated_give_the_same_images(days, ingest, tmp_path_factory, order, again):
    var = tmp_path_factory.mktemp("order")
    for number, day in enumerate([*order, *again]):
        lake, _ = ingest(days, f"run-{number}", f"var={var}", dates=(day,))
    images = {row["image_id"]: row.asDict(recursive=True) for row in lake.read("images").collect()}
    a, b = images["a"], images["b"]
    # A later landing that omits a fact does not change it: a private picture stays private.
    assert (a["tags"], a["visibility"], a["moderation"], a["deleted_at"]) == (["second"], "private", "ok", None)
    assert (b["moderation"], b["owner_id"], b["deleted_at"].date()) == ("blocked", "heir", date(2024, 5, 9))
    for row in (a, b):
        assert row["source_uri"].startswith(f"{days.folder}/date=2024-05-08/")
        assert row["said_on"]["file"] == row["said_on"]["uploaded_at"] == date(2024, 5, 8)
    assert lake.read("images_awaited").isEmpty()


def test_the_stored_hash_is_that_of_the_file_that_landed_last(days, ingest, make, tmp_path):
    lake, _ = ingest(days, "all", f"var={tmp_path}")
    hashes = {row["image_id"]: row["sha256"] for row in lake.read("images").collect()}
    assert set(hashes.values()) == {hashlib.sha256(make.picture(8)).hexdigest()}


# Privacy


def test_on_one_day_a_statement_that_hides_a_picture_wins(tmp_path, make, ingest):
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


def test_an_image_made_without_metadata_is_deleted_when_metadata_of_its_file_lands(tmp_path, make, ingest):
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


def test_a_refused_row_hides_a_picture_like_an_accepted_one(tmp_path, make, ingest):
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


def test_on_one_day_a_deletion_wins_whatever_the_name_of_its_file(tmp_path, make, ingest):
    landing = make.landing(tmp_path / "photos")
    landing.put("date=2024-05-06/a.png", make.picture(1))
    landing.describe([make.row("a")], "date=2024-05-06/metadata.jsonl")
    landing.describe([{"image_id": "a", "deleted": True}], "date=2024-05-06/metadata-deletions.jsonl")
    (a,) = ingest(landing, "night")[0].read("images").collect()
    assert a["deleted_at"] is not None


def test_a_retry_reads_all_statements_about_an_image(tmp_path, make, ingest):
    landing = make.landing(tmp_path / "photos")
    landing.put("date=2024-05-06/a.png", make.picture(1))
    landing.describe([{"image_id": "a", "visibility": "private"}], "date=2024-05-06/metadata-1.jsonl")
    landing.describe([make.row("a", visibility="public")], "date=2024-05-06/metadata-2.jsonl")
    ingest(landing, "night", "image.max_bytes=10", "quality.max_refused_share=1")
    (a,) = ingest(landing, "retry", retry=True)[0].read("images").collect()
    assert a["visibility"] == "private"


def test_metadata_beside_the_days_is_read_with_each_day(tmp_path, make, ingest):
    landing = make.landing(tmp_path / "photos")
    for day in (6, 7):
        landing.put(f"date=2024-05-0{day}/a.png", make.picture(day))
    names = [f"date=2024-05-0{day}/a.png" for day in (6, 7)]
    before = {"uploaded_at": "2023-11-14T00:00:00Z", "visibility": "private"}
    landing.describe([make.row(f"a{n}", file=name, **before) for n, name in enumerate(names)])
    lake, figures = ingest(landing, "one day", dates=(date(2024, 5, 7),))
    assert {row["image_id"]: row["visibility"] for row in lake.read("images").collect()} == {"a1": "private"}
    assert (figures["images_landed"], figures["images_refused"]) == (1, 0)


def test_pictures_beside_a_file_that_turns_out_to_be_metadata_are_refused(tmp_path, make, ingest):
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


# Repairs


def test_a_retry_reads_only_refused_files_and_removes_accepted_ones_from_the_list(tmp_path, make, ingest):
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
    (remaining,) = lake.read("quarantine").collect()
    assert remaining["source"].endswith("broken.png")


def test_a_repaired_line_leaves_the_list_when_its_file_is_read_again(tmp_path, make, ingest):
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
