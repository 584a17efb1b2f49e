"""The plain baselines that a search has to beat."""

from __future__ import annotations

import numpy as np
import pytest
import simplejpeg

from vsearch_lib.measure.offline.baselines import pixel_vectors


def jpeg(pixels: np.ndarray) -> bytes:
    return bytes(simplejpeg.encode_jpeg(np.ascontiguousarray(pixels.astype(np.uint8)), quality=98, colorspace="RGB"))


def blocks(seed: int, low: int = 40, high: int = 180) -> np.ndarray:
    grain = np.random.default_rng(seed).integers(low, high, (4, 4, 3))
    return np.kron(grain, np.ones((16, 16, 1), dtype=int))


def test_a_pixel_vector_has_unit_length_and_no_mean():
    (vector,) = pixel_vectors([jpeg(blocks(1))])
    assert vector.shape == (32 * 32,)
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)
    assert vector.mean() == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("offset", [-30, 20, 60])
def test_a_brighter_or_darker_picture_is_nearly_the_same(offset):
    one, other, shifted = pixel_vectors([jpeg(p) for p in (blocks(1), blocks(2), blocks(1) + offset)])
    assert one @ shifted > 0.995
    assert one @ other < 0.9


def test_a_plain_picture_gives_zeros():
    assert np.abs(pixel_vectors([jpeg(np.full((40, 40, 3), 128))])).max() == 0
