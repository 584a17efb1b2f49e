"""Every product can be drawn in every finish, and it fills only a part of its picture."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from vsearch_lib.demo.factors import MATERIALS, PALETTES, PATTERNS, SHAPES, VALUES, Factors, from_codes
from vsearch_lib.demo.picture import SCALE, STRETCH, draw_two, photograph
from vsearch_lib.demo.silhouettes import silhouette


@pytest.mark.parametrize("shape", SHAPES)
def test_a_product_leaves_at_least_half_of_any_picture_to_the_scene_and_is_never_tiny(shape):
    covered_share = (silhouette(shape) > 0).mean()
    assert covered_share * SCALE[1] ** 2 * STRETCH[1] < 0.5
    # The widest picture is 4:3, so the square of its shorter side is three quarters of its area.
    assert covered_share * SCALE[0] ** 2 * STRETCH[0] * 3 / 4 > 0.06


@pytest.mark.parametrize(("number", "pattern"), enumerate(PATTERNS))
def test_every_pattern_palette_and_material_makes_a_picture_of_the_stated_size(number, pattern):
    for index, material in enumerate(MATERIALS):
        palette = PALETTES[(number * len(MATERIALS) + index) % len(PALETTES)]
        factors = Factors(SHAPES[(number + index) % len(SHAPES)], pattern, palette, material)
        with Image.open(io.BytesIO(photograph(factors, np.random.default_rng([number, index])))) as picture:
            assert (picture.format, picture.mode) == ("JPEG", "RGB")
            assert 240 <= min(picture.size) <= 320
            assert max(picture.size) <= min(picture.size) * 4 / 3


def test_the_same_product_looks_different_for_each_seed_and_the_same_for_one_seed():
    factors = Factors("teapot", "floral", "ocean", "glossy")
    first, again, other = (photograph(factors, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_a_scene_of_two_products_is_reproducible_and_their_boxes_lie_apart_in_it():
    for seed in range(6):
        rng = np.random.default_rng(seed)
        factors = [from_codes(np.array([rng.integers(len(values)) for values in VALUES])) for _ in range(2)]
        picture, boxes = draw_two(*factors, np.random.default_rng(seed))
        again, same = draw_two(*factors, np.random.default_rng(seed))
        assert picture.tobytes() == again.tobytes()
        assert boxes == same
        assert picture.width > picture.height
        for x, y, width, height in boxes:
            assert min(x, y) >= 0
            assert min(width, height) > 60
            assert x + width <= picture.width
            assert y + height <= picture.height
        (left, _, width, _), (right, *_) = boxes
        assert left + width <= right
