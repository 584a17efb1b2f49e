"""Scenes of two pictures show both, and are right about either."""

from __future__ import annotations

import io

import numpy as np
import simplejpeg
from PIL import Image

from vsearch_lib.measure.offline.strata import better_scores, paired_queries, scene_of_two


def one_colour(colour: tuple[int, int, int], width: int, height: int) -> bytes:
    pixels = np.full((height, width, 3), colour, dtype=np.uint8)
    return bytes(simplejpeg.encode_jpeg(pixels, quality=95, colorspace="RGB"))


def test_a_scene_has_the_first_picture_at_the_top_left_and_the_second_at_the_bottom_right():
    scene = scene_of_two(one_colour((250, 0, 0), 60, 40), one_colour((0, 0, 250), 30, 90), 200)
    pixels = np.asarray(Image.open(io.BytesIO(scene)).convert("RGB")).astype(int)
    assert pixels.shape == (200, 200, 3)
    assert np.abs(pixels[50, 50] - (250, 0, 0)).max() < 12
    assert np.abs(pixels[150, 150] - (0, 0, 250)).max() < 12
    assert np.abs(pixels[50, 150] - 128).max() < 12
    assert np.abs(pixels[150, 50] - 128).max() < 12


def test_each_query_is_shown_with_another_one():
    pairs = paired_queries(["a", "b", "c", "d"], seed=1)
    assert sorted(one for one, _ in pairs) == sorted(other for _, other in pairs) == ["a", "b", "c", "d"]
    assert all(one != other for one, other in pairs)
    assert paired_queries(["a"], seed=1) == []


def test_an_answer_to_a_scene_has_the_higher_score_of_its_two_pictures():
    assert better_scores({"x": 5, "y": 1}, {"y": 3, "z": 2}) == {"x": 5, "y": 3, "z": 2}
