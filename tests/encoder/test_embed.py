"""Embedding gives a picture its vector, whatever it is embedded with."""

from __future__ import annotations

import numpy as np
import pytest

from vsearch_lib.encoder.embed import embed, prepare
from vsearch_lib.encoder.network import untrained


@pytest.fixture(scope="module")
def encoder():
    return prepare(untrained("small", dimension=32, seed=2))


def test_vectors_have_unit_length(encoder, pictures):
    vectors = embed(encoder, pictures, side=64)
    assert vectors.dtype == np.float32
    assert vectors.shape == (len(pictures), 32)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_a_picture_has_the_same_vector_alone_and_in_any_company(encoder, pictures):
    together = embed(encoder, pictures, side=64)
    backwards = embed(encoder, pictures[::-1], side=64)[::-1]
    alone = np.concatenate([embed(encoder, [picture], side=64) for picture in pictures])
    assert (together * alone).sum(axis=1).min() >= 0.9999
    assert (together * backwards).sum(axis=1).min() >= 0.9999


def test_different_pictures_have_different_vectors(encoder, pictures):
    vectors = embed(encoder, pictures, side=64)
    cosines = vectors @ vectors.T
    assert cosines[~np.eye(len(pictures), dtype=bool)].max() < 0.9999


def test_no_pictures_give_no_vectors_of_the_right_dimension(encoder):
    assert embed(encoder, [], side=64).shape == (0, 32)


def test_a_picture_that_is_none_is_a_value_error(encoder, pictures):
    with pytest.raises(ValueError):  # noqa: PT011 - the decoder's own messages
        embed(encoder, [pictures[0], b"broken"], side=64)


def test_prepare_puts_the_encoder_into_evaluation_mode():
    assert not prepare(untrained("small", dimension=8, seed=1).train()).training
