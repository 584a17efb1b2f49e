"""The loss against the same formula written out in NumPy."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from pytorch_metric_learning.losses import SupConLoss

from vsearch_lib.training.loss import contrastive_loss

# Two pairs and one picture alone, as unit vectors of the plane.
ANGLES = np.array([0.0, 0.4, 1.5, 2.2, 4.0])
VECTORS = np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=1)
GROUPS = np.array([1, 1, 2, 2, 3])
TEMPERATURE = 0.5


def written_out(weights: list[float]) -> float:
    """Minus the log of the positive's share among all others, a mean by weight over pictures with a positive."""
    similarity = np.exp(VECTORS @ VECTORS.T / TEMPERATURE)
    losses = {}
    for picture, positive in {0: 1, 1: 0, 2: 3, 3: 2}.items():
        others = [other for other in range(5) if other != picture]
        losses[picture] = -np.log(similarity[picture, positive] / similarity[picture, others].sum())
    return sum(weights[i] * loss for i, loss in losses.items()) / sum(weights[i] for i in losses)


def loss(weights: list[float], groups: np.ndarray = GROUPS) -> torch.Tensor:
    vectors = torch.tensor(VECTORS, requires_grad=True)
    return contrastive_loss(vectors, torch.tensor(groups), torch.tensor(weights).double(), temperature=TEMPERATURE)


@pytest.mark.parametrize("weights", [[1, 1, 1, 1, 1], [2, 2, 1, 1, 1], [0.1, 3, 0.5, 1, 100]], ids=str)
def test_it_is_the_mean_by_weight_of_the_pictures_that_have_a_positive(weights):
    assert loss(weights).item() == pytest.approx(written_out(weights), rel=1e-9)


def test_of_weights_of_one_it_is_the_librarys_own_mean():
    own = SupConLoss(temperature=TEMPERATURE)(torch.tensor(VECTORS), torch.tensor(GROUPS))
    assert loss([1] * 5).item() == pytest.approx(own.item(), rel=1e-9)


@pytest.mark.parametrize("groups", [[1, 1, 1, 1, 1], [1, 2, 3, 4, 5]], ids=["one group", "each its own"])
def test_it_is_zero_without_anything_to_pull_together_or_push_apart(groups):
    nothing = loss([1] * 5, np.array(groups))
    nothing.backward()
    assert nothing.item() == 0
