"""The loss over each query's candidates equals the same formula as a loop."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support import pairwise_losses
from tests.support.pairwise_losses import tolerance, unit_vectors, very_different_weights
from vsearch_lib.training.objectives.candidates import candidates_loss, known_candidates
from vsearch_lib.training.plan import Plan


def test_three_equally_near_candidates_have_the_loss_that_a_hand_computes():
    vectors = torch.eye(4).unsqueeze(0)
    value = candidates_loss(vectors, torch.tensor([1]), torch.zeros(1, 3).bool(), torch.tensor([5.0]), temperature=0.1)
    assert value.item() == pytest.approx(np.log(3), rel=1e-6)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16], ids=str)
@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    examples=st.integers(1, 6),
    count=st.integers(1, 5),
    temperature=st.sampled_from([0.05, 0.1, 1.0]),
)
def test_the_loss_equals_a_loop_over_candidates(dtype, seed, examples, count, temperature):
    rng = np.random.default_rng(seed)
    vectors = unit_vectors(rng, examples * (1 + count), 4).reshape(examples, 1 + count, 4)
    labels, known = rng.integers(0, count, examples), rng.random((examples, count)) < 0.3
    weights = very_different_weights(rng, examples)
    rounded = torch.tensor(vectors, dtype=dtype)
    computed = rounded if dtype == torch.float64 else rounded.float()
    value = candidates_loss(
        computed,
        torch.tensor(labels),
        torch.tensor(known),
        torch.tensor(weights, dtype=computed.dtype),
        temperature=temperature,
    )
    expected = pairwise_losses.candidates(vectors, labels, known, weights, temperature)
    assert value.item() == pytest.approx(expected, abs=tolerance(dtype, temperature), rel=1e-5)


def test_the_gradient_is_that_of_the_loss():
    rng = np.random.default_rng(2)
    vectors = torch.tensor(unit_vectors(rng, 12, 3).reshape(3, 4, 3), requires_grad=True)
    labels, known = torch.tensor([0, 2, 1]), torch.zeros(3, 3).bool()
    known[1, 0] = True
    weights = torch.tensor(very_different_weights(rng, 3))
    assert torch.autograd.gradcheck(
        lambda some: candidates_loss(some, labels, known, weights, temperature=0.3), vectors
    )


def test_loss_and_gradient_are_zero_if_all_candidates_belong_to_the_query():
    vectors = torch.eye(4).unsqueeze(0).requires_grad_()
    value = candidates_loss(vectors, torch.tensor([1]), torch.ones(1, 3).bool(), torch.ones(1), temperature=0.1)
    value.backward()
    assert value.item() == 0
    assert not vectors.grad.any()


def test_candidates_that_belong_to_their_own_query_are_known():
    """Of two examples of three pictures, picture 2 is related to the first query, and 5 a positive of the second."""
    related, positives = torch.eye(6).bool(), torch.zeros(6, 6).bool()
    related[0, 2] = related[2, 0] = related[0, 4] = related[4, 0] = True
    positives[3, 5] = positives[5, 3] = True
    plan = Plan(torch.arange(6).view(2, 3), torch.zeros(2).long(), positives, related, torch.ones(2))
    assert known_candidates(plan).tolist() == [[False, True], [False, True]]
