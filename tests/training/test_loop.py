"""Training lowers the loss, and does not spoil a pretrained network."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from vsearch_lib.encoder.network import Encoder, untrained
from vsearch_lib.examples.boxes import PRIOR
from vsearch_lib.training.loop import Trained, train
from vsearch_lib.training.reader import Batch

COLOURS = torch.tensor(
    [[230, 20, 20], [20, 230, 20], [20, 20, 230], [230, 230, 20], [230, 20, 230], [20, 230, 230]], dtype=torch.uint8
)


def coloured_batches(steps: int, examples: int = 6) -> list[Batch]:
    """Each example is a query of one colour, the same colour again, and another colour."""
    pictures = COLOURS.view(-1, 3, 1, 1).expand(-1, -1, 40, 40)
    order = [torch.arange(examples), torch.arange(examples), (torch.arange(examples) + 1) % examples]
    index = torch.stack(order, dim=1)
    groups = index.long()
    related = groups.flatten().unsqueeze(0) == groups.flatten().unsqueeze(1)
    return [Batch(pictures[index], torch.zeros(examples).long(), groups, related, torch.ones(examples))] * steps


def trained(encoder: Encoder, steps: int = 40, *, pretrained: bool = False, seed: int = 1, progress=None) -> Trained:
    return train(
        encoder,
        coloured_batches(steps),
        side=32,
        boxes=PRIOR,
        total_steps=steps,
        learning_rate=0.003,
        temperature=0.2,
        seed=seed,
        pretrained=pretrained,
        progress=progress or (lambda _done, _total: None),
    )


@pytest.fixture(scope="module")
def after_training() -> tuple[Encoder, Trained, list[tuple[int, int]]]:
    encoder = untrained("small", dimension=16, seed=3)
    progress: list[tuple[int, int]] = []
    outcome = trained(encoder, progress=lambda done, total: progress.append((done, total)))
    return encoder, outcome, progress


def test_the_loss_falls(after_training):
    _, outcome, _ = after_training
    assert outcome.steps == 40
    assert outcome.last_loss < 0.85 * outcome.first_loss


def test_progress_counts_every_step(after_training):
    assert after_training[2] == [(step, 40) for step in range(1, 41)]


def test_the_trained_encoder_is_ready_to_embed(after_training):
    assert not after_training[0].training


def test_the_trained_weights_depend_on_the_seed():
    first, same, other = (untrained("small", dimension=8, seed=3) for _ in range(3))
    trained(first, steps=2)
    trained(same, steps=2)
    trained(other, steps=2, seed=2)
    assert torch.equal(first.projection.axes, same.projection.axes)
    assert not torch.equal(first.projection.axes, other.projection.axes)


@pytest.mark.parametrize("pretrained", [True, False])
def test_only_a_pretrained_network_keeps_its_batch_statistics(pretrained):
    encoder = untrained("small", dimension=8, seed=3)
    norms = [module for module in encoder.modules() if isinstance(module, nn.BatchNorm2d)]
    before = [torch.cat([norm.running_mean, norm.running_var]) for norm in norms]
    weight = encoder.backbone.stem[0][0].weight.detach().clone()
    trained(encoder, steps=2, pretrained=pretrained)
    after = [torch.cat([norm.running_mean, norm.running_var]) for norm in norms]
    same = [torch.equal(a, b) for a, b in zip(before, after, strict=True)]
    assert all(same) if pretrained else not any(same)
    assert not torch.equal(encoder.backbone.stem[0][0].weight, weight)


def test_the_weights_of_a_pretrained_backbone_change_a_tenth_as_much():
    """AdamW's first step changes every weight by the learning rate, so the changes show the rates."""
    change = {}
    for pretrained in (True, False):
        encoder = untrained("small", dimension=8, seed=3)
        before = encoder.backbone.stages[2].down[0].weight.detach().clone()
        trained(encoder, steps=1, pretrained=pretrained)
        change[pretrained] = (encoder.backbone.stages[2].down[0].weight - before).abs().median()
    assert 5 < change[False] / change[True] < 20
