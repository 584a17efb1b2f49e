"""The gate cuts crops out of landed originals as a person does, or out of stored pixels if the original has gone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from PIL import Image

from vsearch_lib.images.decode import Limits
from vsearch_lib.lake.pictures import stored_jpegs
from vsearch_lib.publishing.crops import box_of, crops_of
from vsearch_lib.serving.ask import Crop
from vsearch_lib.serving.query import query_picture

LIMITS = Limits(max_bytes=20_000_000, max_pixels=50_000_000, min_side=16, size=64)
SIDES = {"a": (400, 300), "b": (300, 400), "c": (500, 500)}


@pytest.fixture(scope="module")
def landed(make, ingest, tmp_path_factory):
    """Three photos, far larger than their stored pixels; return their folder and the lake that ingested them."""
    landing = make.landing(tmp_path_factory.mktemp("crops") / "landing")
    day = landing.folder / "date=2024-05-07"
    day.mkdir()
    for seed, (name, (width, height)) in enumerate(SIDES.items()):
        noise = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
        Image.fromarray(noise).save(day / f"{name}.jpg", quality=80)
    landing.describe([make.row(name, f"{name}.jpg") for name in SIDES], "date=2024-05-07/metadata.jsonl")
    lake, _ = ingest(landing, "run-1", f"image.size={LIMITS.size}")
    return day, lake


@pytest.fixture
def changed(landed):
    """The same, with the file of `a` deleted and that of `b` overwritten during a test."""
    folder, lake = landed
    before = {file: file.read_bytes() for file in (folder / "a.jpg", folder / "b.jpg")}
    (folder / "a.jpg").unlink()
    (folder / "b.jpg").write_bytes((folder / "c.jpg").read_bytes())
    yield folder, lake
    for file, content in before.items():
        file.write_bytes(content)


def crop_by_a_person(content: bytes, name: str, sides: tuple[int, int]) -> bytes:
    crop = Crop(*box_of(name, sides, min_side=LIMITS.min_side, seed=3))
    return query_picture(content, LIMITS, crop).jpeg


def test_a_crop_of_the_gate_equals_the_same_crop_by_a_person(landed):
    folder, lake = landed
    crops = crops_of(lake, ["c", "a", "b"], LIMITS, seed=3)
    expected = [crop_by_a_person((folder / f"{name}.jpg").read_bytes(), name, SIDES[name]) for name in "abc"]
    assert crops.jpegs == expected
    assert crops.from_stored == 0


def test_if_a_landed_file_is_gone_or_changed_the_crop_comes_from_stored_pixels(changed):
    folder, lake = changed
    crops = crops_of(lake, ["a", "b", "c"], LIMITS, seed=3)
    stored = stored_jpegs(lake, ["a", "b"])
    assert crops.from_stored == 2
    assert crops.jpegs == [
        crop_by_a_person(stored["a"], "a", (85, 64)),
        crop_by_a_person(stored["b"], "b", (64, 85)),
        crop_by_a_person((folder / "c.jpg").read_bytes(), "c", SIDES["c"]),
    ]


def test_an_image_that_is_not_in_the_lake_has_no_crop(landed):
    _, lake = landed
    assert len(crops_of(lake, ["a", "unknown"], LIMITS, seed=3).jpegs) == 1


def test_a_picture_that_is_too_small_for_a_crop_is_left_out(landed):
    _, lake = landed
    assert crops_of(lake, ["a"], Limits(20_000_000, 50_000_000, 301, 64), seed=3).jpegs == []


@examples(max_examples=200, deadline=None)
@given(st.text(max_size=8), st.integers(16, 3000), st.integers(16, 3000), st.integers(0, 100))
def test_a_box_lies_in_its_picture_and_spans_half_to_four_fifths_of_each_side(name, width, height, seed):
    x, y, w, h = box_of(name, (width, height), min_side=16, seed=seed)
    assert 0 <= x <= x + w <= width
    assert 0 <= y <= y + h <= height
    for part, side in ((w, width), (h, height)):
        assert part >= 16
        assert part == 16 or 0.5 * side - 1 <= part <= 0.8 * side + 1


def test_a_box_depends_only_on_the_image_and_the_seed():
    one = box_of("a", (400, 300), min_side=16, seed=3)
    assert one == box_of("a", (400, 300), min_side=16, seed=3)
    assert one != box_of("b", (400, 300), min_side=16, seed=3)
    assert one != box_of("a", (400, 300), min_side=16, seed=4)
