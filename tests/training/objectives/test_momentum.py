"""The momentum encoder is a moving average of the trained network, in evaluation mode."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from vsearch_lib.training.objectives.momentum import MomentumEncoder


def test_the_weights_are_the_moving_average_of_the_trained_ones():
    network = nn.Linear(1, 1, bias=False)
    expected = network.weight.item()
    slow = MomentumEncoder(network, momentum=0.9)
    assert slow(torch.ones(1, 1)).item() == pytest.approx(expected)
    for weight in (3.0, -1.0, 7.0):
        nn.init.constant_(network.weight, weight)
        slow.follow(network)
        expected = 0.9 * expected + 0.1 * weight
        assert slow(torch.ones(1, 1)).item() == pytest.approx(expected, abs=1e-6)
    assert network.weight.item() == 7


def test_keys_have_no_dropout_and_the_batch_statistics_of_the_trained_network():
    network = nn.Sequential(nn.BatchNorm1d(2), nn.Dropout(0.9)).train()
    slow = MomentumEncoder(network, momentum=0.9).train()
    network(torch.tensor([[5.0, 1.0], [7.0, -1.0]]))
    slow.follow(network)
    inputs = torch.tensor([[1.0, 2.0]])
    assert torch.equal(slow(inputs), network.eval()(inputs))


def test_the_slow_weights_are_not_trained():
    slow = MomentumEncoder(nn.Linear(2, 2), momentum=0.9)
    assert not any(weight.requires_grad for weight in slow.parameters())
    assert not slow(torch.ones(1, 2, requires_grad=True)).requires_grad
