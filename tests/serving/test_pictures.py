"""Pictures for a page of answers, read without Spark from a lake that Spark wrote."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from pyspark.sql import functions as F

from tests.support.stored_pictures import DAY, image, store
from vsearch_lib.errors import ArtefactError
from vsearch_lib.lake import Lake
from vsearch_lib.serving.pictures import public_jpegs, visible_pictures
from vsearch_lib.storage import open_store

PUBLIC = ["same-1", "same-2", "it's \"q\" \\' OR '1'='1", "größe/東京 %41\n"]
HIDDEN = {
    "private": {"visibility": "private"},
    "blocked": {"moderation": "blocked"},
    "deleted": {"deleted_at": DAY},
    "no pixels": {},
}


def sha256(image_id: str) -> str:
    return ("a" if image_id.startswith("same") else image_id.encode().hex()).ljust(64, "0")[:64]


def write(lake: Lake, hidden: dict[str, dict[str, object]], public: list[str]) -> None:
    """Put images into a lake; the pixels of each are bytes made from its sha256, except the image without pixels."""
    images = [image(name, sha256(name), **hidden.get(name, {})) for name in [*public, *hidden]]
    store(lake, images, {sha256(n): b"jpeg of " + sha256(n).encode() for n in [*public, *hidden] if n != "no pixels"})


@pytest.fixture(scope="module")
def written(spark, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("pictures") / "lake"
    write(Lake(spark, str(folder), "run-1"), HIDDEN, PUBLIC)
    return folder


def expected(image_ids: list[str]) -> dict[str, bytes]:
    return {image_id: b"jpeg of " + sha256(image_id).encode() for image_id in image_ids}


def test_public_pictures_are_found_and_hidden_ones_are_not(written):
    assert public_jpegs(str(written), [*PUBLIC, *HIDDEN, "unknown"]) == expected(PUBLIC)
    assert public_jpegs(str(written), PUBLIC[1:2]) == expected(PUBLIC[1:2])
    assert public_jpegs(str(written), ["unknown"]) == public_jpegs(str(written), []) == {}


def test_a_picture_that_was_hidden_or_erased_after_it_was_stored_is_not_found(spark, tmp_path):
    lake = Lake(spark, str(tmp_path / "lake"), "run-1")
    write(lake, {}, ["a", "b", "c", "d"])
    assert public_jpegs(lake.uri, ["a", "b", "c", "d"]) == expected(["a", "b", "c", "d"])
    write(lake, {"a": {"visibility": "private"}, "b": {"deleted_at": DAY}}, [])
    lake.delete("images", F.col("image_id") == "c")
    assert public_jpegs(lake.uri, ["a", "b", "c", "d"]) == expected(["d"])


ODD = ["a b", "[x] {y}*?", "50% #1 & 100 %", "größe 東京 e\u0301", "a:b;c='d'\"", "~+^|<>"]


def test_an_owner_also_sees_private_pictures_but_no_blocked_or_deleted_ones(written):
    ids = [*PUBLIC, *HIDDEN]
    for viewer, seen in (("o", [*PUBLIC, "private"]), ("x", PUBLIC), ("", PUBLIC), ("o' OR '1'='1", PUBLIC)):
        found = visible_pictures(str(written), ids, viewer_id=viewer)
        assert {name: picture.jpeg for name, picture in found.items()} == expected(seen)
    assert (found["same-1"].width, found["same-1"].height, found["same-1"].sha256) == (96, 80, sha256("same-1"))


@pytest.mark.parametrize("name", ODD)
def test_a_lake_in_a_folder_of_any_name_is_read(written, tmp_path, name):
    shutil.copytree(written, tmp_path / name / "lake")
    assert public_jpegs(str(tmp_path / name / "lake"), PUBLIC) == expected(PUBLIC)


def test_a_lake_in_a_bucket_is_read_below_any_prefix(written, bucket):
    lakes = [f"{bucket}/{name}" for name in ODD] + [f"{bucket.replace('s3', 's3a', 1)}/{ODD[0]}"]
    for lake in lakes[:-1]:
        for file in written.rglob("*"):
            if file.suffix in (".json", ".parquet"):
                open_store(lake).write(str(file.relative_to(written)), file)
    # In a separate process: delta-rs holds Python's lock while it waits, and the server runs in this process.
    code = """
import sys
from vsearch_lib.serving.pictures import public_jpegs
print(sorted(public_jpegs(sys.argv[1], sys.argv[2:]).items()))
"""
    for lake in lakes:
        done = subprocess.run([sys.executable, "-c", code, lake, *PUBLIC], capture_output=True, text=True)
        assert (done.stdout, done.stderr) == (f"{sorted(expected(PUBLIC).items())}\n", "")


def test_a_lake_with_a_file_url_is_read(written):
    assert public_jpegs(f"file://{written}", PUBLIC) == public_jpegs(f"file:{written}", PUBLIC) == expected(PUBLIC)


@pytest.mark.parametrize(("name", "read_instead"), [("p%41", "pA"), ("p\\q", "p/q")])
def test_a_lake_whose_path_delta_rs_confuses_with_another_is_refused(written, tmp_path, name, read_instead):
    shutil.copytree(written, tmp_path / name)
    shutil.copytree(written, tmp_path / read_instead)
    with pytest.raises(ArtefactError, match="backslash or a %"):
        public_jpegs(str(tmp_path / name), PUBLIC)


@pytest.mark.parametrize("made", ["none", "empty", "images only"])
def test_a_missing_lake_is_an_error_of_one_line(written, tmp_path, made):
    lake = tmp_path / "lake"
    if made != "none":
        lake.mkdir()
    if made == "images only":
        shutil.copytree(written / "images", lake / "images")
    with pytest.raises(ArtefactError, match=f"^there is no lake at {re.escape(str(lake))}; set lake.uri[^\n]*$"):
        public_jpegs(str(lake), PUBLIC)


@pytest.mark.parametrize("damage", ["cut", "gone", "log"])
def test_a_damaged_lake_is_an_error_of_one_line(written, tmp_path, damage):
    lake = tmp_path / "lake"
    shutil.copytree(written, lake)
    for file in (lake / "image_pixels").glob("*.parquet"):
        if damage == "cut":
            file.write_bytes(file.read_bytes()[:100])
        elif damage == "gone":
            file.unlink()
    if damage == "log":
        (lake / "images" / "_delta_log" / f"{1:020}.json").write_text("no JSON")
    with pytest.raises(ArtefactError, match=f"^the lake at {re.escape(str(lake))} cannot be read: [^\n]*$"):
        public_jpegs(str(lake), PUBLIC)


def test_an_unreachable_server_is_an_error_of_one_line(bucket, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(ArtefactError, match=r"^the lake at s3://b/lake cannot be read: .*127\.0\.0\.1:9") as refused:
        public_jpegs("s3://b/lake", PUBLIC)
    assert str(refused.value).isprintable()
