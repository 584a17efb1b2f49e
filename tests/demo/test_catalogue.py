"""A written catalogue has the landing formats and the stated defects, and is the same each time, byte for byte."""

from __future__ import annotations

import gzip
import hashlib
import json
import multiprocessing
import re
from collections import Counter
from datetime import datetime
from pathlib import Path
from types import NoneType

import numpy as np
import pytest
from PIL import Image, UnidentifiedImageError

from vsearch_lib.demo import write_catalogue
from vsearch_lib.errors import UsageError

IMAGE_ROW = {
    "image_id": str,
    "file": str,
    "owner_id": str,
    "uploaded_at": str,
    "tags": list,
    "visibility": str,
    "moderation": str,
}
USER_ROW = {"user_id": str, "username": str, "age": int, "email": str, "gender": str, "city": str, "country": str}
EVENT_ROW = {
    "event_id": str,
    "user_id": str,
    "query_image_id": str,
    "displayed_image_id": str,
    "position": int,
    "type": str,
    "dwell_ms": (int, NoneType),
    "latitude": float,
    "longitude": float,
    "occurred_at": str,
    "request_id": str,
    "index_version": str,
    "variant": str,
}
JUDGEMENT_ROW = {"query_image_id": str, "image_id": str, "annotator": str, "score": int}


def rows_of(root: Path, pattern: str) -> list[tuple[Path, dict]]:
    rows = []
    for path in sorted(root.glob(pattern)):
        text = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        rows += [(path, json.loads(line)) for line in text.splitlines()]
    return rows


def digests(root: Path) -> dict[str, str]:
    files = (path for path in root.rglob("*") if path.is_file())
    return {str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def dates_of(root: Path, table: str) -> list[str]:
    return sorted(path.name for path in (root / table).iterdir())


@pytest.mark.parametrize(
    ("pattern", "types"),
    [
        ("images/date=*/metadata.jsonl", IMAGE_ROW),
        ("users/date=*/users.jsonl", USER_ROW),
        ("interactions/date=*/events.jsonl.gz", EVENT_ROW),
        ("judgements/date=*/judgements.jsonl", JUDGEMENT_ROW),
    ],
)
def test_every_row_has_the_keys_and_types_of_its_landing_format(catalogue, pattern, types):
    rows = rows_of(catalogue.root, pattern)
    assert rows
    for _, row in rows:
        assert row.keys() == types.keys()
        assert all(isinstance(row[key], kind) for key, kind in types.items()), row


def test_times_are_utc_and_fall_on_the_date_of_their_folder(catalogue):
    for pattern, key in (("images/*/*.jsonl", "uploaded_at"), ("interactions/*/*.gz", "occurred_at")):
        for path, row in rows_of(catalogue.root, pattern):
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", row[key])
            assert path.parent.name == f"date={datetime.fromisoformat(row[key]).date()}"


def test_the_catalogue_spans_the_stated_days(catalogue):
    assert dates_of(catalogue.root, "images") == [f"date=2026-11-0{day}" for day in range(1, 8)]
    assert dates_of(catalogue.root, "interactions") == [f"date=2026-11-0{day}" for day in range(2, 9)]
    assert dates_of(catalogue.root, "users") == ["date=2026-11-01"]
    assert dates_of(catalogue.root, "judgements") == ["date=2026-11-08"]


def test_keys_are_unique(catalogue):
    for pattern, key in (
        ("images/*/*.jsonl", ("image_id",)),
        ("users/*/*.jsonl", ("user_id",)),
        ("interactions/*/*.gz", ("event_id",)),
        ("judgements/*/*.jsonl", ("query_image_id", "image_id", "annotator")),
    ):
        counts = Counter(tuple(row[name] for name in key) for _, row in rows_of(catalogue.root, pattern))
        assert max(counts.values()) == 1


def test_three_files_are_broken_one_is_missing_and_all_others_open(catalogue):
    refused = Counter()
    opened = 0
    for path, row in rows_of(catalogue.root, "images/*/metadata.jsonl"):
        try:
            with Image.open(path.parent / row["file"]) as picture:
                picture.load()
            opened += 1
        except FileNotFoundError:
            refused["missing"] += 1
        except UnidentifiedImageError:
            refused["no picture"] += 1
        except OSError as error:
            refused["truncated" if "truncated" in str(error) else str(error)] += 1
    assert refused == {"missing": 1, "no picture": 2, "truncated": 1}
    assert opened == catalogue.summary.images == 40
    assert (catalogue.summary.broken, catalogue.summary.missing) == (3, 1)


def test_some_good_pictures_repeat_the_bytes_of_another_under_a_new_id(catalogue):
    pictures = [digest for name, digest in digests(catalogue.root / "images").items() if name.endswith(".jpg")]
    assert len(pictures) - len(set(pictures)) == catalogue.summary.copies == 1


def test_a_request_shows_each_position_once_and_has_clicks_only_on_shown_pictures(catalogue):
    requests: dict[str, list[dict]] = {}
    for _, row in rows_of(catalogue.root, "interactions/*/*.gz"):
        requests.setdefault(row["request_id"], []).append(row)
    uploaded = {row["image_id"]: row["uploaded_at"] for _, row in rows_of(catalogue.root, "images/*/*.jsonl")}
    for rows in requests.values():
        shown = {row["position"]: row["displayed_image_id"] for row in rows if row["type"] == "impression"}
        assert sorted(shown) == list(range(1, len(shown) + 1))
        assert len(set(shown.values())) == len(shown) <= 10
        assert len({(row["user_id"], row["query_image_id"], row["variant"]) for row in rows}) == 1
        for row in rows:
            assert row["displayed_image_id"] == shown[row["position"]] != row["query_image_id"]
            assert (row["dwell_ms"] is None) == (row["type"] == "impression")
            assert uploaded[row["displayed_image_id"]] < row["occurred_at"]


def test_only_public_pictures_that_passed_moderation_are_displayed(catalogue):
    hidden = {
        row["image_id"]
        for _, row in rows_of(catalogue.root, "images/*/*.jsonl")
        if (row["visibility"], row["moderation"]) != ("public", "ok")
    }
    assert hidden
    assert not hidden & {row["displayed_image_id"] for _, row in rows_of(catalogue.root, "interactions/*/*.gz")}


def test_the_catalogue_grades_a_fifth_of_the_pictures_and_annotators_score_the_same_queries(catalogue):
    exact, human = {}, []
    for _, row in rows_of(catalogue.root, "judgements/*/*.jsonl"):
        pair = (row["query_image_id"], row["image_id"])
        assert pair[0] != pair[1]
        assert 0 <= row["score"] <= 5
        if row["annotator"] == "catalogue":
            exact[pair] = row["score"]
        else:
            human.append((pair, row["annotator"], row["score"]))
    # In such a small catalogue a query may have no relevant picture; the annotators then give low scores.
    queries = {pair[0] for pair, _, _ in human}
    assert len(queries) == 8
    assert {query for query, _ in exact} <= queries
    assert min(exact.values()) >= 1
    assert {annotator for _, annotator, _ in human} == {"annotator-1", "annotator-2", "annotator-3"}
    assert all(abs(score - exact.get(pair, 0)) <= 1 for pair, _, score in human)


def test_the_summary_counts_what_was_written(catalogue):
    kinds = Counter(row["type"] for _, row in rows_of(catalogue.root, "interactions/*/*.gz"))
    assert (catalogue.summary.impressions, catalogue.summary.clicks) == (kinds["impression"], kinds["click"])
    assert catalogue.summary.users == len(rows_of(catalogue.root, "users/*/*.jsonl"))
    assert catalogue.summary.judgements == len(rows_of(catalogue.root, "judgements/*/*.jsonl"))


def test_the_contact_sheet_is_a_picture(catalogue):
    with Image.open(catalogue.root / "contact_sheet.jpg") as sheet:
        assert np.asarray(sheet).std() > 20


def test_progress_counts_up_to_the_number_of_images(catalogue):
    assert catalogue.progress == [(done, 40) for done in range(1, 41)]


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_the_same_arguments_give_the_same_bytes_with_any_start_method(catalogue, tmp_path, method):
    usual = multiprocessing.get_start_method()
    multiprocessing.set_start_method(method, force=True)
    try:
        write_catalogue(tmp_path / "again", images=40, seed=5)
    finally:
        multiprocessing.set_start_method(usual, force=True)
    assert digests(tmp_path / "again") == digests(catalogue.root)


def test_a_second_call_returns_the_same_summary_and_writes_nothing(catalogue):
    before = {path: path.stat().st_mtime_ns for path in catalogue.root.rglob("*")}
    assert write_catalogue(catalogue.root, images=40, seed=5, progress=pytest.fail) == catalogue.summary
    assert {path: path.stat().st_mtime_ns for path in catalogue.root.rglob("*")} == before


@pytest.mark.parametrize("other", [{"images": 41, "seed": 5}, {"images": 40, "seed": 6}])
def test_another_catalogue_in_the_folder_is_refused_by_name(catalogue, other):
    with pytest.raises(UsageError, match=r"already holds another demo catalogue \(images 40, seed 5, generator 2\)"):
        write_catalogue(catalogue.root, **other)


@pytest.mark.parametrize("record", [None, "not json", "[]", '{"recipe": {"images": 40, "seed": 5, "generator": 2}}'])
def test_a_folder_with_other_content_is_refused_and_not_changed(tmp_path, record):
    (tmp_path / "holiday.jpg").write_bytes(b"mine")
    if record is not None:
        (tmp_path / "catalogue.json").write_text(record)
    before = digests(tmp_path)
    with pytest.raises(UsageError, match="not a demo catalogue; remove it, or choose another folder"):
        write_catalogue(tmp_path, images=40, seed=5)
    assert digests(tmp_path) == before


@pytest.mark.parametrize(
    ("arguments", "message"), [({"images": 3, "seed": 1}, "at least 20"), ({"images": 40, "seed": -1}, "0 or more")]
)
def test_arguments_out_of_range_are_refused(tmp_path, arguments, message):
    with pytest.raises(UsageError, match=message):
        write_catalogue(tmp_path, **arguments)


def test_a_run_that_fails_leaves_nothing_and_the_next_one_succeeds(tmp_path):
    def give_up(done: int, total: int) -> None:
        if done == 5:
            raise KeyboardInterrupt

    out = tmp_path / "landing"
    with pytest.raises(KeyboardInterrupt):
        write_catalogue(out, images=20, seed=1, progress=give_up)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / ".landing.partial" / "content" / "images").mkdir(parents=True)  # as after a killed run
    out.mkdir()
    write_catalogue(out, images=20, seed=1)
    assert list(tmp_path.iterdir()) == [out]
