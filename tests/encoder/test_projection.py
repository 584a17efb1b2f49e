"""Features are centred and projected to their principal axes, however few pictures there are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import save

from vsearch_lib.encoder.projection import HiddenLayer, Projection, fit_pca
from vsearch_lib.errors import ArtefactError


def unit(n: int, width: int = 40, seed: int = 1) -> np.ndarray:
    features = np.abs(np.random.default_rng(seed).standard_normal((n, width))) * np.linspace(3, 0.1, width)
    return (features / np.linalg.norm(features, axis=1, keepdims=True)).astype(np.float32)


def test_the_axes_are_those_of_the_singular_value_decomposition():
    features = unit(500)
    projection, kept = fit_pca(features, dimension=8, seed=1)
    centred = features - features.mean(axis=0)
    _, values, axes = np.linalg.svd(centred, full_matrices=False)
    assert np.abs((projection.axes * axes[:8]).sum(axis=1)) == pytest.approx(1, abs=1e-4)
    assert kept == pytest.approx((values[:8] ** 2).sum() / (values**2).sum(), abs=1e-4)
    np.testing.assert_allclose(projection.mean, features.mean(axis=0), rtol=0.02)


def test_features_on_a_line_are_separated_by_one_axis():
    t = np.linspace(-1, 1, 21)[:, None]
    features = np.array([[3.0, 4.0]]) / 5 + t * np.array([[0.4, -0.3]])
    projection, kept = fit_pca(features, dimension=1, seed=1)
    np.testing.assert_allclose(projection.axes, [[0.8, -0.6]], atol=1e-6)  # its largest entry is positive
    assert kept == pytest.approx(1)
    vectors = projection.apply(features.astype(np.float32))
    np.testing.assert_allclose(np.diff(vectors[:, 0]), 0.05, atol=1e-5)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 60), st.integers(1, 40), st.booleans())
def test_any_number_of_pictures_gives_orthogonal_axes_and_a_vector_for_each_picture(n, dimension, alike):
    features = unit(1).repeat(n, axis=0) if alike else unit(n)
    projection, kept = fit_pca(features, dimension=dimension, seed=3)
    assert projection.axes.shape == (dimension, 40)
    np.testing.assert_allclose(projection.axes @ projection.axes.T, np.eye(dimension), atol=1e-4)
    assert 0 <= kept <= 1 + 1e-6
    for pictures in (features, unit(5, seed=9)):
        vectors = projection.apply(pictures)
        assert np.isfinite(vectors).all()
        assert (np.linalg.norm(vectors, axis=1) > 1e-6).all()


def test_after_a_fit_to_one_picture_new_pictures_have_different_vectors():
    projection, _ = fit_pca(unit(1), dimension=16, seed=1)
    vectors = projection.apply(unit(6, seed=2))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    cosines = vectors @ vectors.T
    assert cosines[~np.eye(6, dtype=bool)].max() < 0.999


def test_the_same_features_and_seed_give_the_same_bytes():
    first, same = (fit_pca(unit(12), dimension=20, seed=5)[0].serialise() for _ in range(2))
    other = fit_pca(unit(12), dimension=20, seed=6)[0].serialise()
    assert first == same != other


def test_more_axes_than_features_are_refused():
    with pytest.raises(ValueError, match="41 axes cannot be taken from 40 features"):
        fit_pca(unit(100), dimension=41, seed=1)


def test_a_projection_is_read_back_from_its_bytes():
    projection, _ = fit_pca(unit(50), dimension=6, seed=1)
    back = Projection.deserialise(projection.serialise())
    np.testing.assert_array_equal(back.mean, projection.mean)
    np.testing.assert_array_equal(back.axes, projection.axes)


@pytest.mark.parametrize(
    "content", [b"", b"\x80\x04.", Projection(np.zeros(3, "f4"), np.zeros((2, 4), "f4")).serialise()]
)
def test_bytes_that_are_not_a_projection_are_refused(content):
    with pytest.raises(ArtefactError, match="projection"):
        Projection.deserialise(content)


def hidden(n: int = 7) -> Projection:
    """A projection of 40 features to 6 numbers with a hidden layer of `n` units."""
    random = np.random.default_rng(2)
    inner, outer = (random.standard_normal(shape).astype("f4") for shape in ((n, 40), (6, n)))
    return replace(fit_pca(unit(50), dimension=6, seed=1)[0], hidden=HiddenLayer(inner, outer))


def test_a_hidden_layer_adds_what_its_rectified_units_say():
    mean, axes = np.array([1.0, 0.0], "f4"), np.array([[2.0, 0.0]], "f4")
    layer = HiddenLayer(np.array([[0.0, 1.0], [0.0, -1.0]], "f4"), np.array([[10.0, 100.0]], "f4"))
    features = np.array([[2.0, 3.0], [0.0, -3.0]], "f4")
    np.testing.assert_array_equal(Projection(mean, axes, layer).apply(features), [[2 + 30], [-2 + 300]])


def test_a_hidden_layer_is_read_back_from_its_bytes():
    projection = hidden()
    back = Projection.deserialise(projection.serialise())
    np.testing.assert_array_equal(back.apply(unit(9, seed=4)), projection.apply(unit(9, seed=4)))


@pytest.mark.parametrize(("part", "shape"), [("inner", (7, 39)), ("outer", (6, 8)), ("outer", (5, 7)), ("inner", (7,))])
def test_a_hidden_layer_that_does_not_fit_is_refused(part, shape):
    projection = hidden()
    content = replace(projection, hidden=replace(projection.hidden, **{part: np.zeros(shape, "f4")})).serialise()
    with pytest.raises(ArtefactError, match=rf"does not fit together: .*{part}"):
        Projection.deserialise(content)


def test_half_a_hidden_layer_is_refused():
    content = save({"mean": np.zeros(4, "f4"), "axes": np.zeros((2, 4), "f4"), "inner": np.zeros((3, 4), "f4")})
    with pytest.raises(ArtefactError, match="outer"):
        Projection.deserialise(content)
