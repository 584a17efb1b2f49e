"""The training loop: contrastive learning over epochs, with the weights that did best on validation."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from vsearch_lib.errors import VsearchError
from vsearch_lib.training.checkpoint import Checkpoint, State
from vsearch_lib.training.curve import Curve, Epoch
from vsearch_lib.training.feed import Batch
from vsearch_lib.training.objectives.contrastive import contrastive_loss

WARMUP_SHARE = 0.05
# Vectors of unit length whose mean is almost as long all point the same way.
_COLLAPSED = 0.999


@dataclass(frozen=True)
class Course:
    """How to train.

    Attributes:
        epochs: at most.
        steps: in an epoch.
        patience_epochs: the training ends if the recall on validation has not risen in so many epochs.
        weight_decay: of AdamW.
        max_gradient: the length to which a longer gradient is shortened.
        temperature: of the softmax over similarities.
        seed: of all that is drawn at random.
    """

    epochs: int
    steps: int
    patience_epochs: int
    weight_decay: float
    max_gradient: float
    temperature: float
    seed: int


@dataclass(frozen=True)
class Trainee:
    """A network to train, and how it takes its inputs.

    Attributes:
        network: maps prepared inputs (n, …) to unit vectors (n, dimension); only some of its weights may be trained.
        rates: lists of its weights, each with the learning rate of that list.
        prepare: makes of a batch's inputs (n, …) what the network takes, with random numbers of the generator.
        start: called before each epoch; it puts the network into training mode.
        validate: returns the recall of the network as it is now, on validation images; None if there are too few.
        is_usable: whether the network is of use before the training, so that it may be better than after it.
    """

    network: nn.Module
    rates: list[tuple[list[nn.Parameter], float]]
    prepare: Callable[[Tensor, torch.Generator], Tensor]
    start: Callable[[], None]
    validate: Callable[[], float | None]
    is_usable: bool


def train(
    trainee: Trainee,
    epoch_batches: Callable[[int], Iterator[Batch]],
    course: Course,
    *,
    checkpoint: Checkpoint | None = None,
    progress: Callable[[int, int], None],
) -> Curve:
    """Train in place with `contrastive_loss`; the network ends with the weights that did best on validation.

    If no epoch does better than usable weights at the start, these are restored: then nothing was learnt.

    Args:
        trainee: the network.
        epoch_batches: the batches of an epoch, counted from 0.
        course: how long and how fast.
        checkpoint: where the state after each epoch is saved; a training that was killed goes on from there.
        progress: called with the number of steps done and the number of all steps.

    Raises:
        VsearchError: there was no batch, the loss is no number, or all vectors have become the same.
    """
    network = trainee.network
    optimiser = torch.optim.AdamW(
        [{"params": weights, "lr": rate} for weights, rate in trainee.rates], weight_decay=course.weight_decay
    )
    all_steps = course.epochs * course.steps
    state = checkpoint.restore(network, optimiser) if checkpoint else None
    if state is None:
        state = State(Curve(trainee.validate() if trainee.is_usable else None), _copied(network))
    with torch.random.fork_rng(devices=[]):
        for epoch in range(len(state.curve.epochs), course.epochs):
            if state.curve.epochs_without_gain >= course.patience_epochs:
                break
            # Each epoch has random numbers of its own, so a resumed training draws what an unbroken one would.
            torch.manual_seed(course.seed + epoch)
            generator = torch.Generator().manual_seed(course.seed + epoch)
            trainee.start()
            losses: list[float] = []
            for batch in epoch_batches(epoch):
                step = epoch * course.steps + len(losses)
                for group, (_, rate) in zip(optimiser.param_groups, trainee.rates, strict=True):
                    group["lr"] = rate * _share_of_rate(step, all_steps)
                losses.append(_step(trainee, batch, course, optimiser, generator))
                progress(min(epoch * course.steps + len(losses), all_steps), all_steps)
            if not losses:
                raise VsearchError("the training got no example: run build_training_examples again")
            network.eval()
            curve = state.curve.followed_by(Epoch(sum(losses) / len(losses), trainee.validate()))
            state = State(curve, _copied(network) if curve.best == len(curve.epochs) else state.best)
            if checkpoint:
                checkpoint.save(network, optimiser, state)
    progress(all_steps, all_steps)
    network.load_state_dict(state.best)
    network.eval()
    return state.curve


def _step(
    trainee: Trainee, batch: Batch, course: Course, optimiser: torch.optim.Optimizer, generator: torch.Generator
) -> float:
    inputs = trainee.prepare(batch.inputs.flatten(0, 1), generator)
    with torch.autocast("cpu", torch.bfloat16, enabled=has_fast_bfloat16()):
        vectors = trainee.network(inputs)
    weights = batch.weights.unsqueeze(1).expand(batch.inputs.shape[:2]).flatten()
    loss = contrastive_loss(vectors.float(), batch.positives, batch.related, weights, temperature=course.temperature)
    if not torch.isfinite(loss):
        raise VsearchError(
            "the training stopped: its loss is no number any more; lower training.learning_rate or "
            "training.max_gradient"
        )
    if len(vectors) > 2 and vectors.detach().float().mean(dim=0).norm() > _COLLAPSED:
        raise VsearchError(
            "the training stopped: all pictures have nearly the same vector; lower training.learning_rate, or check "
            "that the pictures of the examples differ"
        )
    optimiser.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    nn.utils.clip_grad_norm_(trainee.network.parameters(), course.max_gradient)
    optimiser.step()
    return float(loss.item())


def has_fast_bfloat16() -> bool:
    """Return whether this processor multiplies bfloat16 in hardware; without that it is slower than float32."""
    capability = torch.cpu.get_capabilities()
    return bool(capability.get("avx512_bf16") or capability.get("amx_bf16"))


def _copied(network: nn.Module) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in network.state_dict().items()}


def _share_of_rate(step: int, total: int) -> float:
    warmup = max(1, round(total * WARMUP_SHARE))
    if step < warmup:
        return (step + 1) / warmup
    return 0.5 * (1 + math.cos(math.pi * min(1.0, (step - warmup) / max(1, total - warmup))))
