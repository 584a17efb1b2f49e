"""A picture's vector does not depend on the pictures that are embedded with it."""

from __future__ import annotations

import numpy as np
import openvino
import pytest
import torch
from openvino import opset13 as ops

from vsearch_lib.encoder.embed import Embedder, Graph
from vsearch_lib.encoder.network import untrained
from vsearch_lib.encoder.preprocessing import Preprocessing
from vsearch_lib.encoder.projection import Projection
from vsearch_lib.errors import ArtefactError
from vsearch_lib.models.registration import to_graph

SIDE = 64
PREPROCESSING = Preprocessing(SIDE, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))


@pytest.fixture(scope="module")
def graph() -> Graph:
    return to_graph(untrained("small", dimension=32, seed=2))


@pytest.fixture(scope="module")
def projection() -> Projection:
    return untrained("small", dimension=32, seed=2).projection.as_arrays()


@pytest.fixture(scope="module")
def embedder(graph, projection) -> Embedder:
    return Embedder(graph, PREPROCESSING, projection, batch_size=4)


def test_vectors_have_unit_length(embedder, pictures):
    vectors = embedder.embed(pictures)
    assert vectors.dtype == np.float32
    assert vectors.shape == (len(pictures), 32)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_vectors_are_those_of_the_network_in_float32(embedder, pictures):
    squares = torch.stack([torch.from_numpy(PREPROCESSING.square(p).transpose(2, 0, 1).copy()) for p in pictures])
    with torch.inference_mode():
        expected = untrained("small", dimension=32, seed=2).eval()(squares).numpy()
    assert (embedder.embed(pictures) * expected).sum(axis=1).min() > 0.999


@pytest.mark.parametrize("batch_size", [1, 2, 5, 6, 7, 64])
@pytest.mark.parametrize("threads", [1, 2])
def test_a_picture_has_the_same_vector_alone_and_in_any_batch(
    graph, projection, embedder, pictures, batch_size, threads
):
    other = Embedder(graph, PREPROCESSING, projection, batch_size=batch_size, threads=threads)
    together = embedder.embed(pictures)
    backwards = other.embed(pictures[::-1])[::-1]
    alone = np.concatenate([other.embed([picture]) for picture in pictures])
    assert (together * alone).sum(axis=1).min() >= 0.9999
    assert (together * backwards).sum(axis=1).min() >= 0.9999


def test_different_pictures_have_different_vectors(embedder, pictures):
    vectors = embedder.embed(pictures)
    cosines = vectors @ vectors.T
    assert cosines[~np.eye(len(pictures), dtype=bool)].max() < 0.9999


def test_without_pictures_the_result_is_empty_and_has_the_right_dimension(embedder):
    assert embedder.embed([]).shape == (0, 32)


def test_bytes_that_are_not_a_picture_are_refused_and_the_other_pictures_are_not(embedder, pictures):
    content = [pictures[0], b"broken", *pictures[1:], b"", pictures[0]]
    embedded = embedder.try_embed(content)
    assert {i: reason for i, (reason, _) in embedded.refused.items()} == {1: "undecodable", 7: "undecodable"}
    accepted = [i for i in range(len(content)) if i not in embedded.refused]
    alone = embedder.embed([content[i] for i in accepted])
    np.testing.assert_allclose(embedded.vectors[accepted], alone, atol=1e-5)  # batches differ, and so do roundings
    assert not embedded.vectors[[1, 7]].any()
    with pytest.raises(ValueError, match="picture 1: undecodable"):
        embedder.embed(content)


def constant(value: float) -> Graph:
    """A network whose features are `value` divided by the first pixel, which is zero if the pixel is black."""
    pixels = ops.parameter([-1, SIDE, SIDE, 3], np.uint8)
    first = ops.convert(ops.slice(pixels, [0, 0, 0, 0], [2**31 - 1, 1, 1, 1], [1, 1, 1, 1]), "f32")
    answer = ops.divide(ops.constant(np.float32(value)), ops.reshape(first, [-1, 1], special_zero=False))
    return Graph.of(openvino.Model([ops.concat([answer, answer], 1)], [pixels]))


@pytest.mark.parametrize(("value", "reason"), [(1.0, "vector_not_finite"), (0.0, "vector_not_finite")])
def test_only_the_picture_whose_vector_is_not_finite_is_refused(jpeg, value, reason):
    black, white = (jpeg(np.full((SIDE, SIDE, 3), level, np.uint8)) for level in (0, 255))
    embedded = Embedder(constant(value), PREPROCESSING, batch_size=2).try_embed([white, black, white])
    assert embedded.refused[1][0] == reason
    assert not embedded.vectors[1].any()
    if value:
        assert set(embedded.refused) == {1}
        np.testing.assert_allclose(embedded.vectors[[0, 2]], np.sqrt(0.5), atol=1e-3)
    else:
        assert {i: embedded.refused[i][0] for i in (0, 2)} == {0: "vector_zero", 2: "vector_zero"}


def test_only_the_picture_at_the_mean_of_the_features_is_refused(graph, pictures):
    features = Embedder(graph, PREPROCESSING, batch_size=1).embed(pictures[:1])[0]
    axes = np.linalg.qr(np.random.default_rng(1).standard_normal((256, 8)))[0].T.astype(np.float32)
    embedded = Embedder(graph, PREPROCESSING, Projection(features, axes), batch_size=1).try_embed(pictures[:2])
    assert {i: reason for i, (reason, _) in embedded.refused.items()} == {0: "vector_zero"}
    assert not embedded.vectors[0].any()
    assert np.linalg.norm(embedded.vectors[1]) == pytest.approx(1, abs=1e-5)


def test_bytes_that_are_not_a_graph_are_refused_in_one_line(graph):
    for broken in (Graph(b"<net/>", b""), Graph(graph.structure[:-40], graph.weights)):
        with pytest.raises(ArtefactError, match="graph") as refused:
            Embedder(broken, PREPROCESSING, batch_size=1)
        assert "\n" not in str(refused.value)
