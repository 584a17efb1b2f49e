"""A head is trained from the projection that was fitted, with a hidden layer or without."""

from __future__ import annotations

import numpy as np
import torch

from vsearch_lib.encoder.network import HiddenProjection, LinearProjection
from vsearch_lib.training.head import head_trainee


def test_a_hidden_layer_starts_as_the_linear_head_and_is_trained_with_it():
    torch.manual_seed(2)
    linear = LinearProjection(24, 8)
    hidden = HiddenProjection(linear, 5)
    features = torch.nn.functional.normalize(torch.randn(30, 24), dim=1)
    validation, relevant = features.numpy(), np.zeros((0, 30), dtype=np.bool_)
    first, second = (
        head_trainee(one, learning_rate=None, validation=validation, relevant=relevant) for one in (linear, hidden)
    )
    torch.testing.assert_close(first.network(features), second.network(features))

    ((parameters, rate),) = second.rates
    before = {name: value.detach().clone() for name, value in hidden.named_parameters()}
    assert set(before) == {"axes", "inner", "outer"}
    optimiser = torch.optim.SGD(parameters, lr=100 * rate)
    for _ in range(2):  # in the first step the gradient of `inner` is zero, as `outer` is
        optimiser.zero_grad()
        second.network(features)[:, 0].sum().backward()
        optimiser.step()
    assert not any(torch.equal(value, before[name]) for name, value in hidden.named_parameters())
