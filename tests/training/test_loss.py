"""The loss equals the same formula in NumPy."""

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


def loss_in_numpy(weights: list[float]) -> float:
    """The mean by weight, over pictures with a positive, of minus the log of the positive's share among all others."""
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
def test_the_loss_is_the_mean_by_weight_of_the_pictures_with_a_positive(weights):
    assert loss(weights).item() == pytest.approx(loss_in_numpy(weights), rel=1e-9)


def test_with_equal_weights_the_loss_is_the_mean_of_the_library():
    own = SupConLoss(temperature=TEMPERATURE)(torch.tensor(VECTORS), torch.tensor(GROUPS))
    assert loss([1] * 5).item() == pytest.approx(own.item(), rel=1e-9)


@pytest.mark.parametrize("groups", [[1, 1, 1, 1, 1], [1, 2, 3, 4, 5]], ids=["one group", "each its own"])
def test_the_loss_is_zero_if_there_is_only_one_group_or_no_pair(groups):
    value = loss([1] * 5, np.array(groups))
    value.backward()
    assert value.item() == 0
