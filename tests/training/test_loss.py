"""The loss equals the same formula in NumPy."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pytest
import torch
from pytorch_metric_learning.losses import SupConLoss

from vsearch_lib.training.loss import contrastive_loss, positive_pairs

# Two pairs and one picture alone, as unit vectors of the plane.
ANGLES = np.array([0.0, 0.4, 1.5, 2.2, 4.0])
VECTORS = np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=1)
GROUPS = np.array([1, 1, 2, 2, 3])
TEMPERATURE = 0.5


def loss_in_numpy(weights: list[float], related: Collection[tuple[int, int]] = ()) -> float:
    """The mean by weight, over pictures with a positive, of minus the log of the positive's share among all others."""
    similarity = np.exp(VECTORS @ VECTORS.T / TEMPERATURE)
    losses = {}
    for picture, positive in {0: 1, 1: 0, 2: 3, 3: 2}.items():
        others = [other for other in range(5) if other != picture and (picture, other) not in related]
        losses[picture] = -np.log(similarity[picture, positive] / similarity[picture, others].sum())
    return sum(weights[i] * loss for i, loss in losses.items()) / sum(weights[i] for i in losses)


def loss(weights: list[float], groups: np.ndarray = GROUPS, related: np.ndarray | None = None) -> torch.Tensor:
    vectors = torch.tensor(VECTORS, requires_grad=True)
    same = torch.tensor(groups[:, None] == groups[None, :])
    known = same if related is None else torch.tensor(related)
    positives = same & ~torch.eye(5, dtype=torch.bool)
    return contrastive_loss(vectors, positives, known, torch.tensor(weights).double(), temperature=TEMPERATURE)


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


def test_related_pictures_are_not_pushed_apart():
    """Pictures 1 and 2 belong together, though no example pairs them: neither is among the others of the other one."""
    related = GROUPS[:, None] == GROUPS[None, :]
    related[1, 2] = related[2, 1] = True
    assert loss([1] * 5, related=related).item() == pytest.approx(loss_in_numpy([1] * 5, {(1, 2), (2, 1)}), rel=1e-9)


def test_positives_are_the_pictures_of_a_group_and_the_pair_of_an_example():
    """Two examples of a query and two candidates; picture 7 of the first one's query occurs in the second one too."""
    groups = torch.tensor([[7, 8, 9], [5, 7, 6]])
    pairs = positive_pairs(groups, torch.tensor([1, 0]))
    assert {tuple(pair) for pair in pairs.nonzero().tolist()} == {(0, 2), (2, 0), (3, 4), (4, 3), (0, 4), (4, 0)}
