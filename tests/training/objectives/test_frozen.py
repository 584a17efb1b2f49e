"""The term that keeps frozen similarities equals the same formula as a loop."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support import pairwise_losses
from tests.support.pairwise_losses import tolerance, unit_vectors
from vsearch_lib.encoder.projection import Projection
from vsearch_lib.training.objectives.frozen import frozen_vectors, kept_similarities_loss


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16], ids=str)
@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(2, 7), temperature=st.sampled_from([0.1, 1.0]))
def test_the_term_equals_a_loop_over_pairs(dtype, seed, n, temperature):
    rng = np.random.default_rng(seed)
    vectors, frozen = unit_vectors(rng, n, 4), unit_vectors(rng, n, 6)
    rounded = torch.tensor(vectors, dtype=dtype)
    computed = rounded if dtype == torch.float64 else rounded.float()
    value = kept_similarities_loss(computed, torch.tensor(frozen, dtype=computed.dtype), temperature=temperature)
    expected = pairwise_losses.kept_similarities(vectors, frozen, temperature)
    assert value.item() == pytest.approx(expected, abs=tolerance(dtype, temperature), rel=1e-5)


def test_the_gradient_is_that_of_the_term():
    rng = np.random.default_rng(2)
    vectors, frozen = torch.tensor(unit_vectors(rng, 5, 3), requires_grad=True), torch.tensor(unit_vectors(rng, 5, 4))
    assert torch.autograd.gradcheck(lambda some: kept_similarities_loss(some, frozen, temperature=0.3), vectors)


def test_vectors_that_keep_all_cosines_cost_nothing():
    """A rotation changes every vector and no cosine."""
    rng = np.random.default_rng(3)
    vectors = torch.tensor(unit_vectors(rng, 6, 5))
    turned = vectors @ torch.tensor(np.linalg.qr(rng.standard_normal((5, 5)))[0])
    assert kept_similarities_loss(turned, vectors, temperature=0.1).item() == pytest.approx(0, abs=1e-12)
    assert kept_similarities_loss(vectors.flip(0), vectors, temperature=0.1).item() > 0.1


def test_pictures_without_frozen_vectors_are_left_out():
    rng = np.random.default_rng(4)
    vectors, frozen = torch.tensor(unit_vectors(rng, 6, 4)), torch.tensor(unit_vectors(rng, 6, 4))
    frozen[[1, 4]] = 0
    kept = [0, 2, 3, 5]
    alone = kept_similarities_loss(vectors[kept], frozen[kept], temperature=0.1)
    assert kept_similarities_loss(vectors, frozen, temperature=0.1).item() == alone.item()


@pytest.mark.parametrize("known", [0, 1])
def test_with_fewer_than_two_known_pictures_term_and_gradient_are_zero(known):
    vectors, frozen = torch.eye(3).requires_grad_(), torch.zeros(3, 3)
    frozen[:known, 0] = 1
    value = kept_similarities_loss(vectors, frozen, temperature=0.1)
    value.backward()
    assert value.item() == 0
    assert not vectors.grad.any()


def test_frozen_vectors_are_projected_features_of_unit_length_and_zeros_stay_zeros():
    projection = Projection(np.array([1.0, 0, 0], np.float32), np.eye(2, 3, dtype=np.float32))
    features = np.array([[1.0, 2, 9], [4, 4, 9], [0, 0, 0], [1, 0, 9]], np.float32)
    assert frozen_vectors(features, projection).tolist() == [
        [0, 1],
        pytest.approx([0.6, 0.8]),
        [0, 0],
        [0, 0],  # it is the mean: it has no direction
    ]
