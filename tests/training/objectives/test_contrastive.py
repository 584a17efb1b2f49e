"""The loss over all pictures of a batch equals the same formula as a loop over pairs."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pytorch_metric_learning.losses import SupConLoss

from tests.support import pairwise_losses
from tests.support.pairwise_losses import tolerance, unit_vectors, very_different_weights
from vsearch_lib.training.objectives.contrastive import contrastive_loss

# Two pairs and one picture alone, as unit vectors of the plane.
ANGLES = np.array([0.0, 0.4, 1.5, 2.2, 4.0])
VECTORS = np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=1)
GROUPS = np.array([1, 1, 2, 2, 3])


def test_a_pair_and_one_other_picture_have_the_loss_that_a_hand_computes():
    """The cosines are 0 to the positive and 0 to the other picture, so the positive has half of the share: log 2."""
    vectors = torch.tensor([[1.0, 0, 0], [0, 1, 0], [0, 0, 1]])
    positives = torch.tensor([[0, 1, 0], [1, 0, 0], [0, 0, 0]]).bool()
    value = contrastive_loss(vectors, positives, torch.eye(3).bool(), torch.ones(3), temperature=0.1)
    assert value.item() == pytest.approx(np.log(2), rel=1e-6)


def test_with_equal_weights_the_loss_is_the_mean_of_the_library():
    vectors, same = torch.tensor(VECTORS), torch.tensor(GROUPS[:, None] == GROUPS[None, :])
    own = contrastive_loss(vectors, same & ~torch.eye(5).bool(), same, torch.ones(5).double(), temperature=0.5)
    assert own.item() == pytest.approx(SupConLoss(temperature=0.5)(vectors, torch.tensor(GROUPS)).item(), rel=1e-9)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16], ids=str)
@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(1, 8),
    earlier=st.integers(0, 5),
    temperature=st.sampled_from([0.05, 0.1, 1.0]),
)
def test_the_loss_equals_a_loop_over_pairs(dtype, seed, n, earlier, temperature):
    rng = np.random.default_rng(seed)
    vectors = unit_vectors(rng, n + earlier, 4)
    groups = rng.integers(0, 4, n + earlier)
    related = (groups[:, None] == groups[None, :]) | (rng.random((n + earlier, n + earlier)) < 0.2)
    positives = related & (rng.random(related.shape) < 0.7) & ~np.eye(n + earlier, dtype=bool)
    weights = very_different_weights(rng, n)
    rounded = torch.tensor(vectors, dtype=dtype)
    computed = rounded if dtype == torch.float64 else rounded.float()
    value = contrastive_loss(
        computed[:n],
        torch.tensor(positives[:n]),
        torch.tensor(related[:n]),
        torch.tensor(weights, dtype=computed.dtype),
        temperature=temperature,
        others=computed if earlier else None,
    )
    expected = pairwise_losses.contrastive(vectors[:n], vectors, positives, related, weights, temperature)
    assert value.item() == pytest.approx(expected, abs=tolerance(dtype, temperature), rel=1e-5)


def test_the_gradient_is_that_of_the_loss():
    rng = np.random.default_rng(2)
    vectors = torch.tensor(unit_vectors(rng, 7, 3), requires_grad=True)
    positives = torch.zeros(5, 7).bool()
    positives[0, 1] = positives[1, 0] = positives[2, 6] = True
    related, weights = torch.eye(5, 7).bool(), torch.tensor(very_different_weights(rng, 5))
    assert torch.autograd.gradcheck(
        lambda some: contrastive_loss(some[:5], positives, related, weights, temperature=0.3, others=some), vectors
    )


@pytest.mark.parametrize("groups", [[1, 1, 1, 1, 1], [1, 2, 3, 4, 5]], ids=["one group", "each its own"])
def test_loss_and_gradient_are_zero_if_there_is_only_one_group_or_no_pair(groups):
    vectors = torch.tensor(VECTORS, requires_grad=True)
    same = torch.tensor(groups).unsqueeze(0) == torch.tensor(groups).unsqueeze(1)
    value = contrastive_loss(vectors, same & ~torch.eye(5).bool(), same, torch.ones(5), temperature=0.5)
    value.backward()
    assert value.item() == 0
    assert not vectors.grad.any()


def test_identical_vectors_have_a_finite_loss_and_gradient():
    vectors = torch.ones(4, 2).div(2**0.5).requires_grad_()
    positives = torch.tensor([[0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1], [0, 0, 1, 0]]).bool()
    value = contrastive_loss(vectors, positives, torch.eye(4).bool(), torch.ones(4), temperature=0.01)
    value.backward()
    assert value.item() == pytest.approx(np.log(3), rel=1e-5)  # the positive is one of three equal others
    assert torch.isfinite(vectors.grad).all()


def test_related_pictures_are_not_pushed_apart():
    """Pictures 1 and 2 belong together, though no example pairs them: moving one does not change the other's loss."""
    related = GROUPS[:, None] == GROUPS[None, :]
    related[1, 2] = related[2, 1] = True
    vectors = torch.tensor(VECTORS, requires_grad=True)
    positives = torch.tensor(GROUPS[:, None] == GROUPS[None, :]) & ~torch.eye(5, dtype=torch.bool)
    only_of_picture_1 = torch.tensor([1e-30, 1, 1e-30, 1e-30, 1e-30]).double()
    contrastive_loss(vectors, positives, torch.tensor(related), only_of_picture_1, temperature=0.5).backward()
    assert vectors.grad[2].abs().max() < 1e-20
    assert vectors.grad[3].abs().max() > 1e-3
