"""A picture has the same vector in every precision of a processor, in a batch and alone."""

from __future__ import annotations

import numpy as np
import pytest

from vsearch_lib.demo.factors import VALUES, from_codes
from vsearch_lib.demo.studio import draw_one
from vsearch_lib.encoder import embed
from vsearch_lib.encoder.embed import Embedder
from vsearch_lib.encoder.projection import fit_pca
from vsearch_lib.images.decode import Limits, normalise
from vsearch_lib.models.registration import to_graph
from vsearch_lib.models.registry import Recipe
from vsearch_lib.models.weights import initial_encoder

PICTURES = 60


@pytest.fixture(scope="module")
def vectors():
    """A function of precision and batch size that returns projected vectors of drawn pictures, packaged backbone."""
    limits = Limits(20_000_000, 50_000_000, 16, 256)
    codes = np.random.default_rng(3).integers(0, [len(values) for values in VALUES], (PICTURES, len(VALUES)))
    jpegs = [normalise(draw_one((7, number, from_codes(code))), limits).jpeg for number, code in enumerate(codes)]
    encoder = initial_encoder(Recipe("tf_efficientnet_lite0", "", 48, None, "none"), "packaged", seed=1)
    graph = to_graph(encoder)
    features = Embedder(graph, encoder.preprocessing, batch_size=4).embed(jpegs)
    projection, _ = fit_pca(features, dimension=48, seed=1)

    def computed(precision: str, batch_size: int) -> np.ndarray:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(embed, "_precision", lambda _: precision)
            return Embedder(graph, encoder.preprocessing, projection, batch_size=batch_size).embed(jpegs)

    return computed


@pytest.mark.parametrize("precision", ["f32", "bf16"])
def test_a_picture_has_the_same_vector_alone_and_in_a_batch(vectors, precision):
    assert (vectors(precision, 1) * vectors(precision, 4)).sum(axis=1).min() >= 0.9999


def test_bfloat16_and_float32_agree(vectors):
    """More than the promised .999. A processor without bfloat16 computes both in float32, so there it tests nothing."""
    assert (vectors("bf16", 4) * vectors("f32", 4)).sum(axis=1).min() >= 0.9995
