"""The plain baselines that a search has to beat."""

from __future__ import annotations

import numpy as np
import pytest
import simplejpeg

from vsearch_lib.encoder.embed import Embedder
from vsearch_lib.encoder.network import untrained
from vsearch_lib.encoder.registration import to_graph
from vsearch_lib.evaluation import baselines as module
from vsearch_lib.evaluation.baselines import baselines, pixel_vector


def jpeg(pixels: np.ndarray) -> bytes:
    return bytes(simplejpeg.encode_jpeg(np.ascontiguousarray(pixels.astype(np.uint8)), quality=98, colorspace="RGB"))


def blocks(seed: int, low: int = 40, high: int = 180) -> np.ndarray:
    grain = np.random.default_rng(seed).integers(low, high, (4, 4, 3))
    return np.kron(grain, np.ones((16, 16, 1), dtype=int))


def test_a_pixel_vector_has_unit_length_and_no_mean():
    vector = pixel_vector(jpeg(blocks(1)))
    assert vector.shape == (32 * 32 * 3,)
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)
    assert vector.mean() == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("offset", [-30, 20, 60])
def test_a_brighter_or_darker_picture_is_nearly_the_same(offset):
    one, other, shifted = (pixel_vector(jpeg(p)) for p in (blocks(1), blocks(2), blocks(1) + offset))
    assert one @ shifted > 0.995
    assert one @ other < 0.9


def test_a_plain_picture_gives_zeros():
    assert np.abs(pixel_vector(jpeg(np.full((40, 40, 3), 128)))).max() == 0


@pytest.mark.parametrize("batch", [1, 2, 64])
def test_both_baselines_are_in_the_order_of_the_pictures(monkeypatch, batch):
    monkeypatch.setattr(module, "_BATCH", batch)
    pictures = {f"i{n}": jpeg(blocks(n)) for n in range(5)}
    network = Embedder(to_graph(untrained("small", dimension=8, seed=1), side=32), batch_size=4)
    found = baselines(iter(pictures.items()), network)
    assert found.ids == list(pictures)
    np.testing.assert_array_equal(found.pixels, [pixel_vector(p) for p in pictures.values()])
    np.testing.assert_array_equal(found.untrained, network.embed(list(pictures.values())))
