"""Small copies of pictures, galleries, and a map on which no picture covers another."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
import simplejpeg
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.support.elements import Elements
from vsearch_lib.report.page import Section, render_sections
from vsearch_lib.report.pictures import (
    CELL,
    COLUMNS,
    ROWS,
    THUMBNAIL_SIDE,
    Gallery,
    Picture,
    PictureMap,
    spots_of,
    thumbnail,
)


def jpeg(width: int = 40, height: int = 30) -> bytes:
    return bytes(simplejpeg.encode_jpeg(np.full((height, width, 3), 99, dtype=np.uint8), colorspace="RGB"))


def pictures(*names: str) -> list[Picture]:
    return [Picture(name, jpeg(), f"caption {name}") for name in names]


@pytest.mark.parametrize(
    ("width", "height", "size"), [(600, 300, (150, 75)), (300, 600, (75, 150)), (40, 30, (40, 30))]
)
def test_a_thumbnail_is_a_smaller_copy_of_the_picture(width, height, size):
    head, _, content = thumbnail(jpeg(width, height)).partition(",")
    assert head == "data:image/jpeg;base64"
    small = Image.open(io.BytesIO(base64.b64decode(content)))
    assert (small.format, small.size) == ("JPEG", size)
    assert max(size) <= THUMBNAIL_SIDE
    assert np.abs(np.asarray(small, dtype=int) - 99).max() <= 2


def test_a_map_has_the_first_axis_to_the_right_and_the_second_upwards():
    left_low, right_high = spots_of(pictures("a", "b"), [(-3.0, 0.0), (1.0, 5.0)])
    assert (left_low.image_id, left_low.x, left_low.y) == ("a", CELL / 2, (ROWS - 0.5) * CELL)
    assert (right_high.image_id, right_high.x, right_high.y) == ("b", (COLUMNS - 0.5) * CELL, CELL / 2)


def test_an_image_in_the_cell_of_another_is_a_dot_at_its_own_place():
    first, far, dot = spots_of(pictures("a", "b", "c"), [(0.0, 0.0), (0.001, 0.0), (9.0, 9.0)])
    assert [spot.jpeg is None for spot in (first, far, dot)] == [False, False, True]
    assert (dot.image_id, dot.x) == ("b", pytest.approx(0.1, abs=0.05))


def test_a_map_of_equal_places_shows_one_picture():
    spots = spots_of(pictures("a", "b"), [(1.0, 1.0), (1.0, 1.0)])
    assert [spot.image_id for spot in spots if spot.jpeg] == ["a"]


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(-1, 1), st.floats(-1, 1)), min_size=1, max_size=80))
def test_pictures_of_a_map_lie_in_it_and_apart_and_no_image_is_lost(places):
    spots = spots_of([Picture(str(n), b"jpeg", "") for n in range(len(places))], places)
    assert sorted(int(spot.image_id) for spot in spots) == list(range(len(places)))
    assert all(0 <= spot.x <= COLUMNS * CELL and 0 <= spot.y <= ROWS * CELL for spot in spots)
    shown = [(spot.x, spot.y) for spot in spots if spot.jpeg]
    assert len(set(shown)) == len(shown)
    assert all(x % CELL == CELL / 2 and y % CELL == CELL / 2 for x, y in shown)


def test_galleries_and_maps_have_their_pictures_inside_the_page():
    gallery = Gallery("Twins", "a note", [("a group", pictures("a", "b")), ("", [Picture("lost", None, "gone")])])
    drawn = PictureMap("Map", "another", spots_of(pictures("c", "d"), [(0.0, 0.0), (0.0, 0.0)]))
    page = Elements(render_sections("T", [], [Section("", [gallery, drawn])]))
    assert page.loaded() == []
    assert [image["title"] for image in page.named("img")] == ["a", "b"]
    assert len(page.named("image")) == len(page.named("circle")) == 1
    assert {"Twins", "a note", "a group", "caption a", "lost", "gone", "Map", "another"} <= set(page.text)


def test_an_empty_gallery_says_so():
    assert "none" in Elements(render_sections("T", [], [Section("", [Gallery("Twins", "", [])])])).text
