"""One step of a training: pictures that pass in parts, or in several processes, give the same step."""

from __future__ import annotations

from contextlib import nullcontext

import numpy as np
import pytest
import torch
from torch import nn

from tests.support.contrast import Contrast
from vsearch_lib.encoder.network import untrained
from vsearch_lib.training.feed import Batch
from vsearch_lib.training.objectives.relations import positive_pairs
from vsearch_lib.training.plan import Plan
from vsearch_lib.training.processes import ALONE, Processes
from vsearch_lib.training.update import update


def batch(examples: int = 12) -> Batch:
    numbers = torch.arange(examples * 3).view(examples, 3)
    groups = numbers.clone()
    groups[:, 1] = groups[:, 0]
    labels = torch.zeros(examples).long()
    flat = groups.flatten()
    related = flat.unsqueeze(0) == flat.unsqueeze(1)
    plan = Plan(numbers, labels, positive_pairs(groups, labels), related, torch.ones(examples))
    inputs = 255 * torch.rand(examples * 3, 3, 32, 32, generator=torch.Generator().manual_seed(3))
    return Batch(plan, inputs, slice(0, examples))


objective = Contrast(temperature=0.2)


def gradients(pictures_at_once: int) -> torch.Tensor:
    encoder = untrained("small", dimension=8, seed=3, side=32).eval()
    optimiser = torch.optim.SGD(encoder.parameters(), lr=0.0)
    update(
        encoder,
        batch(),
        objective,
        optimiser,
        dimension=8,
        max_gradient=1e9,
        pictures_at_once=pictures_at_once,
        processes=ALONE,
    )
    return torch.cat([weight.grad.flatten() for weight in encoder.parameters()])


@pytest.mark.parametrize("pictures_at_once", [1, 5, 18])
def test_pictures_that_pass_in_parts_give_the_gradient_of_all_at_once(pictures_at_once, monkeypatch):
    monkeypatch.setattr("vsearch_lib.training.update.fast_precision", lambda _: nullcontext())  # bfloat16 rounds
    together = gradients(36)
    assert nn.functional.cosine_similarity(gradients(pictures_at_once), together, dim=0) > 0.99999
    torch.testing.assert_close(gradients(pictures_at_once), together, rtol=1e-2, atol=1e-5)


@pytest.mark.parametrize("examples", [1, 7, 8, 9, 20, 96])
@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_the_parts_of_the_processes_are_the_batch_in_order(examples, count):
    parts = [Processes(rank, count).part(examples) for rank in range(count)]
    assert np.concatenate([np.arange(examples)[part] for part in parts]).tolist() == list(range(examples))
