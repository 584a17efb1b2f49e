"""Training lowers the loss, keeps the best weights, and does not spoil a pretrained network."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from tests.support.contrast import Contrast
from vsearch_lib.encoder.network import Encoder, LinearProjection, untrained
from vsearch_lib.errors import VsearchError
from vsearch_lib.storage import open_store
from vsearch_lib.training.checkpoint import Checkpoint
from vsearch_lib.training.curve import Curve, Epoch
from vsearch_lib.training.feed import Batch
from vsearch_lib.training.head import head_trainee
from vsearch_lib.training.loop import Course, Trainee, train
from vsearch_lib.training.objectives.relations import positive_pairs
from vsearch_lib.training.plan import Plan
from vsearch_lib.training.whole import whole_trainee

COLOURS = torch.tensor(
    [[230, 20, 20], [20, 230, 20], [20, 20, 230], [230, 230, 20], [230, 20, 230], [20, 230, 230]], dtype=torch.uint8
)
COURSE = Course(
    epochs=1,
    steps=40,
    seconds=None,
    patience_epochs=5,
    weight_decay=1e-4,
    max_gradient=1.0,
    pictures_at_once=1000,
    seed=1,
)


objective = Contrast(temperature=0.2)


def silent(_done: int, _total: int) -> None:
    pass


def batch_of(inputs: torch.Tensor) -> Batch:
    """Each example is a query, the same thing again, and another one; `inputs` holds one input for each thing."""
    n = len(inputs)
    index = torch.stack([torch.arange(n), torch.arange(n), (torch.arange(n) + 1) % n], dim=1)
    labels = torch.zeros(n).long()
    related = index.flatten().unsqueeze(0) == index.flatten().unsqueeze(1)
    plan = Plan(index, labels, positive_pairs(index, labels), related, torch.ones(n))
    return Batch(plan, inputs[index].flatten(0, 1), slice(0, n))


COLOURED = batch_of(COLOURS.view(-1, 3, 1, 1).expand(-1, -1, 32, 32).float())


def noisy(seed: int) -> Batch:
    generator = torch.Generator().manual_seed(seed)
    return replace(COLOURED, inputs=COLOURED.inputs + 20 * torch.rand(COLOURED.inputs.shape, generator=generator))


def trained(
    encoder: Encoder, steps: int = 40, *, pretrained: bool = False, seed: int = 1, epochs: int = 1, progress=None
) -> Curve:
    none = np.zeros((0, 0), dtype=np.bool_)
    trainee = whole_trainee(
        encoder,
        learning_rate=0.003,
        frozen_layers=0.3,
        layer_decay=0.9,
        pretrained=pretrained,
        validation=[],
        relevant=none,
    )
    course = replace(COURSE, epochs=epochs, steps=steps, seed=seed)

    def batches(epoch: int) -> Iterator[Batch]:
        return (noisy(1000 * seed + steps * epoch + step) for step in range(steps))

    return train(trainee, batches, objective, course, progress=progress or silent)


def small(dimension: int = 8) -> Encoder:
    return untrained("small", dimension=dimension, seed=3, side=32)


def test_the_loss_falls_and_progress_counts_every_step():
    encoder, progress = small(16), list[tuple[int, int]]()
    curve = trained(encoder, 12, epochs=4, progress=lambda done, total: progress.append((done, total)))
    assert curve.epochs[-1].loss < 0.9 * curve.epochs[0].loss
    assert progress == [*((step, 48) for step in range(1, 49)), (48, 48)]
    assert not encoder.training


def test_the_trained_weights_depend_on_the_seed():
    first, same, other = (small() for _ in range(3))
    trained(first, steps=2)
    trained(same, steps=2)
    trained(other, steps=2, seed=2)
    assert torch.equal(first.projection.axes, same.projection.axes)
    assert not torch.equal(first.projection.axes, other.projection.axes)


@pytest.mark.parametrize("pretrained", [True, False])
def test_only_a_pretrained_network_keeps_its_batch_statistics(pretrained):
    encoder = small()
    norms = [module for module in encoder.modules() if isinstance(module, nn.BatchNorm2d)]
    before = [torch.cat([norm.running_mean, norm.running_var]) for norm in norms]
    weight = encoder.backbone.stem[0][0].weight.detach().clone()
    trained(encoder, steps=2, pretrained=pretrained)
    after = [torch.cat([norm.running_mean, norm.running_var]) for norm in norms]
    same = [torch.equal(a, b) for a, b in zip(before, after, strict=True)]
    assert all(same) if pretrained else not any(same)
    assert not torch.equal(encoder.backbone.stem[0][0].weight, weight)


def test_the_weights_of_a_pretrained_backbones_last_layer_change_a_third_as_much():
    """AdamW's first step changes every weight by the learning rate, so the changes show the rates."""
    change = {}
    for pretrained in (True, False):
        encoder = small()
        before = encoder.backbone.stages[2].down[0].weight.detach().clone()
        trained(encoder, steps=1, pretrained=pretrained)
        change[pretrained] = (encoder.backbone.stages[2].down[0].weight - before).abs().median()
    assert 2.5 < change[False] / change[True] < 4.5


def features(things: int = 30, width: int = 24) -> torch.Tensor:
    vectors = torch.randn(things, width, generator=torch.Generator().manual_seed(4))
    return nn.functional.normalize(vectors, dim=1)


def head(recalls: Iterator[float | None]) -> tuple[LinearProjection, Trainee]:
    """A projection to be trained, whose recall on validation is the next of `recalls`."""
    torch.manual_seed(2)
    projection = LinearProjection(24, 8)
    nothing = np.zeros((0, 24), dtype=np.float32)
    trainee = head_trainee(
        projection,
        learning_rate=0.01,
        validation=nothing,
        relevant=np.zeros((0, 0), dtype=np.bool_),
    )

    def validate() -> np.ndarray:
        recall = next(recalls)
        return np.empty(0) if recall is None else np.full(20, recall)

    return projection, replace(trainee, validate=validate)


def epochs_of(steps: int = 3) -> Callable[[int], Iterator[Batch]]:
    return lambda epoch: iter([batch_of(features()[10 * (i % 3) :][:10]) for i in range(steps)])


def axes_after(recalls: list[float | None], epochs: int, **changes) -> tuple[Curve, torch.Tensor]:
    projection, trainee = head(iter(recalls))
    course = replace(COURSE, epochs=epochs, steps=3, **changes)
    curve = train(trainee, epochs_of(), objective, course, progress=silent)
    return curve, projection.axes.detach()


def test_the_weights_of_the_best_epoch_are_kept():
    curve, best = axes_after([0.1, 0.2, 0.5, 0.4, 0.3], 4)
    assert (curve.best, curve.best_recall, len(curve.epochs)) == (2, 0.5, 4)
    _, at_its_time = axes_after([0.1, 0.2, 0.5, 0.6, 0.7], 4)
    assert not torch.equal(best, at_its_time)
    _, again = axes_after([0.1, 0.2, 0.5, 0.5, 0.5], 4)
    assert torch.equal(best, again)


def test_if_no_epoch_is_better_the_weights_are_those_before_the_training():
    projection, _ = head(iter([]))
    curve, axes = axes_after([0.5, 0.4, 0.5], 2)
    assert curve.best == 0
    assert torch.equal(axes, projection.axes)


def test_weights_that_are_better_by_chance_alone_are_not_kept():
    """The best epoch is better for 11 queries and worse for 9, each time by as much."""
    start = np.full(20, 0.5)
    better_for = {11: start + np.repeat([0.1, -0.1], [11, 9]), 20: start + 0.1}
    axes = {}
    for queries, recalls in better_for.items():
        projection, trainee = head(iter([]))
        before = projection.axes.detach().clone()
        validations = iter([start, recalls])
        trainee = replace(trainee, validate=lambda found=validations: next(found))
        curve = train(trainee, epochs_of(), objective, replace(COURSE, steps=3), progress=silent)
        assert curve.may_be_chance == (queries == 11)
        axes[queries] = torch.equal(projection.axes, before)
    assert axes == {11: True, 20: False}


def test_the_training_ends_when_the_recall_has_not_risen_for_some_epochs():
    curve, _ = axes_after([0.1, 0.3, 0.2, 0.3, 0.9], 9, patience_epochs=2)
    assert [epoch.recall for epoch in curve.epochs] == [0.3, 0.2, 0.3]


def test_without_validation_all_epochs_run_and_the_last_weights_are_kept():
    curve, _ = axes_after([None] * 9, 8, patience_epochs=2)
    assert (len(curve.epochs), curve.best, curve.best_recall) == (8, 8, None)


def test_a_training_that_was_killed_ends_with_the_weights_of_an_unbroken_one(tmp_path):
    recalls = [0.1, 0.2, 0.3, 0.25, 0.4]
    course = replace(COURSE, epochs=4, steps=3)
    unbroken, trainee = head(iter(recalls))
    expected = train(trainee, epochs_of(), objective, course, progress=silent)

    def killed_in_the_third(epoch: int) -> Iterator[Batch]:
        for step, batch in enumerate(epochs_of()(epoch)):
            if (epoch, step) == (2, 1):
                raise KeyboardInterrupt
            yield batch

    said: list[str] = []
    _, trainee = head(iter(recalls))
    with pytest.raises(KeyboardInterrupt):
        train(
            trainee,
            killed_in_the_third,
            objective,
            course,
            checkpoint=Checkpoint(open_store(str(tmp_path)), "state.safetensors", said.append),
            progress=silent,
        )
    resumed, trainee = head(iter(recalls[3:]))
    checkpoint = Checkpoint(open_store(str(tmp_path)), "state.safetensors", said.append)
    curve = train(trainee, epochs_of(), objective, course, checkpoint=checkpoint, progress=silent)
    assert curve == expected
    assert torch.equal(resumed.axes, unbroken.axes)
    assert said == ["train_encoder: an earlier run was interrupted; the training goes on after epoch 2"]
    checkpoint.remove()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"PK\x03\x04 cut"])
def test_a_damaged_checkpoint_is_reported_and_the_training_begins_again(tmp_path, content):
    (tmp_path / "state.safetensors").write_bytes(content)
    said: list[str] = []
    _, trainee = head(iter([0.1, 0.2]))
    curve = train(
        trainee,
        epochs_of(),
        objective,
        replace(COURSE, steps=3),
        checkpoint=Checkpoint(open_store(str(tmp_path)), "state.safetensors", said.append),
        progress=silent,
    )
    assert len(curve.epochs) == 1
    (line,) = said
    assert "state.safetensors cannot be read" in line
    assert line.endswith("the training begins again")


def test_a_loss_that_is_no_number_stops_the_training_with_a_cause():
    _, trainee = head(iter([0.1, 0.2]))
    broken = batch_of(features()[:10] * torch.nan)
    with pytest.raises(VsearchError, match=r"its loss is no number any more; lower training\.learning_rate"):
        train(trainee, lambda _: iter([broken]), objective, replace(COURSE, steps=1), progress=silent)


def test_pictures_that_are_all_the_same_stop_the_training_with_a_cause():
    _, trainee = head(iter([0.1, 0.2]))
    same = batch_of(features()[:1].expand(10, -1))
    with pytest.raises(VsearchError, match="all pictures have nearly the same vector; lower training"):
        train(trainee, lambda _: iter([same]), objective, replace(COURSE, steps=1), progress=silent)


def test_weights_too_large_for_a_length_stop_the_training_with_a_cause():
    network, trainee = head(iter([0.1, 0.2]))
    with torch.no_grad():
        for weight in network.parameters():
            weight.mul_(1e30)  # the square of a length is infinite, and every vector 0
    with pytest.raises(VsearchError, match="all pictures have nearly the same vector; lower training"):
        train(
            trainee, lambda _: iter([batch_of(features()[:10])]), objective, replace(COURSE, steps=1), progress=silent
        )


class Greedy(nn.Module):
    """A head that wants more memory than any machine has."""

    def __init__(self) -> None:
        super().__init__()
        self.axes = nn.Parameter(torch.ones(8, 24))

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        torch.empty(2**50)
        return inputs @ self.axes.T


def test_a_training_without_memory_says_which_settings_to_lower():
    network = Greedy()
    trainee = Trainee(
        network, 8, [(list(network.parameters()), 0.1)], lambda: None, lambda: np.empty(0), is_usable=True
    )
    with pytest.raises(VsearchError, match=r"out of memory on 30 pictures: lower training\.pictures_at_once \(1000\)"):
        train(trainee, epochs_of(1), objective, COURSE, progress=silent)


def test_a_batch_of_one_example_is_trained_on():
    three = batch_of(features()[:3])
    pairs = (three.plan.positives[:3, :3], three.plan.related[:3, :3])
    plan = Plan(three.plan.numbers[:1], three.plan.labels[:1], *pairs, three.plan.weights[:1])
    before, trainee = head(iter([0.1, 0.2]))
    start = before.axes.detach().clone()
    one = Batch(plan, three.inputs[:3], slice(0, 1))
    train(trainee, lambda _: iter([one]), objective, replace(COURSE, steps=1), progress=silent)
    assert not torch.equal(before.axes, start)


@pytest.mark.parametrize("steps", [30, 2])  # 2 are fewer than are timed
def test_with_little_time_there_are_fewer_steps_and_the_weights_measured_with_do_not_count(steps):
    def trained_for(seconds: float | None, epoch_steps: int) -> tuple[Curve, torch.Tensor, list[int]]:
        projection, trainee = head(iter([0.1, 0.2]))
        totals = []
        course = replace(COURSE, steps=epoch_steps, seconds=seconds)
        curve = train(
            trainee, epochs_of(epoch_steps), objective, course, progress=lambda _, total: totals.append(total)
        )
        return curve, projection.axes.detach(), totals

    curve, axes, totals = trained_for(1e-9, steps)
    assert set(totals) == {1}
    expected, same_axes, _ = trained_for(None, 1)
    assert curve == expected
    assert torch.equal(axes, same_axes)


def test_a_training_without_an_example_is_refused():
    _, trainee = head(iter([0.1, 0.2]))
    with pytest.raises(VsearchError, match="the training got no example"):
        train(trainee, lambda _: iter([]), objective, replace(COURSE, steps=1), progress=silent)


def test_the_earliest_of_equally_good_epochs_is_the_best():
    assert Curve(0.3, (Epoch(1.0, 0.5, 9), Epoch(0.9, 0.5, 9))).best == 1
    assert Curve(None, (Epoch(1.0, 0.1, 9), Epoch(0.9, None, 9))).best == 1
