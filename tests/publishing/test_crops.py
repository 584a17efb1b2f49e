"""The gate cuts parts out of landed originals, as a person does, and out of stored pixels where these are gone."""

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
from vsearch_lib.serving.query import query_jpeg

LIMITS = Limits(max_bytes=20_000_000, max_pixels=50_000_000, min_side=16, size=64)
SIDES = {"a": (400, 300), "b": (300, 400), "c": (500, 500)}


@pytest.fixture(scope="module")
def landed(make, ingest, tmp_path_factory):
    """Three photos, far larger than what is stored of them; return their folder and the lake that took them in."""
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
    """The same, with the file of `a` gone and that of `b` overwritten, for the time of a test."""
    folder, lake = landed
    before = {file: file.read_bytes() for file in (folder / "a.jpg", folder / "b.jpg")}
    (folder / "a.jpg").unlink()
    (folder / "b.jpg").write_bytes((folder / "c.jpg").read_bytes())
    yield folder, lake
    for file, content in before.items():
        file.write_bytes(content)


def as_a_person_would(content: bytes, name: str, sides: tuple[int, int]) -> bytes:
    return query_jpeg(content, LIMITS, crop=box_of(name, sides, least=LIMITS.min_side, seed=3))


def test_a_crop_of_the_gate_is_what_a_person_gets_who_cuts_the_same_box_out_of_the_photo(landed):
    folder, lake = landed
    crops = crops_of(lake, ["c", "a", "b"], LIMITS, seed=3)
    expected = [as_a_person_would((folder / f"{name}.jpg").read_bytes(), name, SIDES[name]) for name in "abc"]
    assert crops.jpegs == expected
    assert crops.from_stored == 0


def test_where_a_landed_file_is_gone_or_another_its_stored_pixels_are_cut_and_counted(changed):
    folder, lake = changed
    crops = crops_of(lake, ["a", "b", "c"], LIMITS, seed=3)
    stored = stored_jpegs(lake, ["a", "b"])
    assert crops.from_stored == 2
    assert crops.jpegs == [
        as_a_person_would(stored["a"], "a", (85, 64)),
        as_a_person_would(stored["b"], "b", (64, 85)),
        as_a_person_would((folder / "c.jpg").read_bytes(), "c", SIDES["c"]),
    ]


def test_images_that_the_lake_does_not_have_give_no_crop(landed):
    _, lake = landed
    assert len(crops_of(lake, ["a", "unknown"], LIMITS, seed=3).jpegs) == 1


def test_a_picture_of_which_no_part_would_be_accepted_is_left_out(landed):
    _, lake = landed
    assert crops_of(lake, ["a"], Limits(20_000_000, 50_000_000, 301, 64), seed=3).jpegs == []


@examples(max_examples=200, deadline=None)
@given(st.text(max_size=8), st.integers(16, 3000), st.integers(16, 3000), st.integers(0, 100))
def test_a_box_lies_in_its_picture_and_spans_half_to_four_fifths_of_both_sides(name, width, height, seed):
    x, y, w, h = box_of(name, (width, height), least=16, seed=seed)
    assert 0 <= x <= x + w <= width
    assert 0 <= y <= y + h <= height
    for part, side in ((w, width), (h, height)):
        assert part >= 16
        assert part == 16 or 0.5 * side - 1 <= part <= 0.8 * side + 1


def test_a_box_depends_on_the_image_and_the_seed_alone():
    one = box_of("a", (400, 300), least=16, seed=3)
    assert one == box_of("a", (400, 300), least=16, seed=3)
    assert one != box_of("b", (400, 300), least=16, seed=3)
    assert one != box_of("a", (400, 300), least=16, seed=4)
