"""The parts of a vector sum to it, and their contributions to a cosine."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import openvino
import pytest
from openvino import opset13 as ops

from tests.support.small_model import small_graph
from vsearch_lib.encoder.activation import LocatingEmbedder, has_map
from vsearch_lib.encoder.embed import Embedder, Graph
from vsearch_lib.encoder.preprocessing import Preprocessing
from vsearch_lib.encoder.projection import HiddenLayer, Projection
from vsearch_lib.errors import ArtefactError

SIDE = 64
PREPROCESSING = Preprocessing(SIDE, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))


def random_projection(seed: int = 3) -> Projection:
    rng = np.random.default_rng(seed)
    mean, axes = rng.uniform(0, 0.1, 256), rng.standard_normal((32, 256))
    return Projection(mean.astype(np.float32), axes.astype(np.float32))


def with_hidden_layer(projection: Projection) -> Projection:
    rng = np.random.default_rng(4)
    inner, outer = (rng.standard_normal(shape).astype(np.float32) for shape in ((16, 256), (32, 16)))
    return replace(projection, hidden=HiddenLayer(inner, outer))


PROJECTIONS = {
    "features": None,
    "linear": random_projection(),
    "hidden layer": with_hidden_layer(random_projection()),
}


@pytest.fixture(scope="module", params=PROJECTIONS.values(), ids=PROJECTIONS)
def projection(request) -> Projection | None:
    return request.param


@pytest.fixture(scope="module")
def embedder(projection) -> LocatingEmbedder:
    return LocatingEmbedder(small_graph(), PREPROCESSING, projection, batch_size=1)


def test_the_parts_of_a_vector_sum_to_it(embedder, pictures):
    for picture in pictures:
        located = embedder.locate(picture)
        assert located.parts.shape == (4, 4, embedder.dimension)
        np.testing.assert_allclose(located.parts.sum(axis=(0, 1)), located.vector, atol=1e-4)


def test_a_located_vector_is_the_embedded_one(embedder, projection, pictures):
    plain = Embedder(small_graph(), PREPROCESSING, projection, batch_size=1)
    for picture, vector in zip(pictures, plain.embed(pictures), strict=True):
        assert embedder.locate(picture).vector @ vector > 0.9999
        assert embedder.embed([picture])[0] @ vector > 0.9999


def test_contributions_sum_to_the_cosine_on_both_sides(embedder, pictures):
    vectors = embedder.embed(pictures)
    one, other = embedder.locate(pictures[0]), embedder.locate(pictures[1])
    cosine = vectors[0] @ vectors[1]
    assert one.contributions(other.vector).sum() == pytest.approx(cosine, abs=1e-4)
    assert other.contributions(one.vector).sum() == pytest.approx(cosine, abs=1e-4)


def test_a_picture_is_located_the_same_every_time(embedder, pictures):
    first = embedder.locate(pictures[0])
    embedder.locate(pictures[1])
    np.testing.assert_array_equal(embedder.locate(pictures[0]).parts, first.parts)


def network(pooled) -> Graph:
    """A network of which `pooled` makes features from pixels (n, 64, 64, 3) in float."""
    pixels = ops.parameter([-1, SIDE, SIDE, 3], np.uint8)
    return Graph.of(openvino.Model([pooled(ops.convert(pixels, "f32"))], [pixels]))


def by_mean(pixels):
    """A map of 2 x 2 locations, channels last, which are the means of the quarters of the picture; and its mean."""
    rows = ops.reshape(pixels, [-1, 2, 32, 2, 32, 3], special_zero=False)
    return ops.reduce_mean(ops.reduce_mean(rows, [2, 4], keep_dims=False), [1, 2], keep_dims=False)


def test_each_location_has_the_part_of_its_own_pixels(jpeg):
    square = np.zeros((SIDE, SIDE, 3), np.uint8)
    square[:32, 32:] = (0, 200, 0)
    located = LocatingEmbedder(network(by_mean), PREPROCESSING, batch_size=1).locate_square(square)
    expected = np.zeros((2, 2, 3))
    expected[0, 1, 1] = 1
    np.testing.assert_allclose(located.parts, expected, atol=1e-5)


def test_a_known_projection_gives_the_parts_worked_out_by_hand():
    """One location is red and one green, both equally bright, so that p / |p| = (1, 1, 0) / √2."""
    square = np.zeros((SIDE, SIDE, 3), np.uint8)
    square[:32, :32], square[32:, 32:] = (200, 0, 0), (0, 200, 0)
    mean, axes = np.array([0, 0.5**0.5, 0], np.float32), np.eye(3, dtype=np.float32)
    located = LocatingEmbedder(network(by_mean), PREPROCESSING, Projection(mean, axes), batch_size=1).locate_square(
        square
    )
    # The vector is (1, 1, 0) / √2 - (0, 1, 0) / √2 = (1, 0, 0) / √2; each location subtracts a quarter of the mean.
    np.testing.assert_allclose(located.vector, [1, 0, 0], atol=1e-5)
    np.testing.assert_allclose(located.parts[0, 0], [1, -0.25, 0], atol=1e-5)
    np.testing.assert_allclose(located.parts[1, 1], [0, 0.75, 0], atol=1e-5)
    np.testing.assert_allclose(located.parts[0, 1], [0, -0.25, 0], atol=1e-5)
    assert located.length == pytest.approx(0.5**0.5, abs=1e-5)


def test_a_network_without_a_map_says_so():
    def of_one_token(pixels):
        tokens = ops.reshape(pixels, [-1, SIDE * SIDE, 3], special_zero=False)
        return ops.gather(tokens, ops.constant(np.int64(0)), ops.constant(np.int64(1)))

    def changed_after_pooling(pixels):
        return ops.relu(by_mean(pixels))

    for pooled in (of_one_token, changed_after_pooling):
        assert not has_map(network(pooled))
        with pytest.raises(ArtefactError, match="no map"):
            LocatingEmbedder(network(pooled), PREPROCESSING, batch_size=1)
    assert has_map(network(by_mean))
    assert has_map(small_graph())


def test_a_square_without_a_vector_is_refused_in_one_line():
    embedder = LocatingEmbedder(network(by_mean), PREPROCESSING, batch_size=1)
    with pytest.raises(ValueError, match=r"^vector_zero: the network's features are all zero$"):
        embedder.locate_square(np.zeros((SIDE, SIDE, 3), np.uint8))
