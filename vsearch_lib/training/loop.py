"""The training loop: contrastive learning over epochs, with the weights that did best on validation."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import cycle, islice
from time import perf_counter

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from vsearch_lib.errors import VsearchError
from vsearch_lib.paired import paired_difference
from vsearch_lib.training.budget import TIMED_STEPS, seconds_of, steps_within
from vsearch_lib.training.checkpoint import Checkpoint, State
from vsearch_lib.training.curve import Curve, Epoch
from vsearch_lib.training.device import is_out_of_memory, training_device
from vsearch_lib.training.feed import Batch
from vsearch_lib.training.objectives.objective import Objective
from vsearch_lib.training.processes import ALONE, Processes
from vsearch_lib.training.update import update

WARMUP_SHARE = 0.05
_NO_EXAMPLE = "the training got no example: run build_training_examples again"
Rates = list[tuple[list[nn.Parameter], float]]
Batches = Callable[[int], Iterator[Batch]]


@dataclass(frozen=True)
class Course:
    """How to train.

    Attributes:
        epochs: at most.
        steps: in an epoch.
        seconds: that the training may take; if the epochs need more, there are fewer steps. None for any time.
        patience_epochs: the training ends if the recall on validation has not risen in so many epochs.
        weight_decay: of AdamW.
        max_gradient: the length to which a longer gradient is shortened.
        pictures_at_once: that pass through the network together (`update`).
        seed: of all that is drawn at random.
    """

    epochs: int
    steps: int
    seconds: float | None
    patience_epochs: int
    weight_decay: float
    max_gradient: float
    pictures_at_once: int
    seed: int


@dataclass(frozen=True)
class Trainee:
    """A network to train.

    Attributes:
        network: maps inputs (n, …) to unit vectors (n, dimension); only some of its weights may be trained.
        dimension: of the vectors.
        rates: lists of its weights, each with the learning rate of that list.
        start: called before each epoch; it puts the network into training mode.
        validate: returns the recall of each query (queries,) of the network as it is now, on validation images; none if
            there are too few.
        is_usable: whether the network is of use before the training, so that it may be better than after it.
    """

    network: nn.Module
    dimension: int
    rates: Rates
    start: Callable[[], None]
    validate: Callable[[], NDArray[np.float64]]
    is_usable: bool


def train(
    trainee: Trainee,
    epoch_batches: Batches,
    objective: Objective,
    course: Course,
    *,
    checkpoint: Checkpoint | None = None,
    processes: Processes = ALONE,
    progress: Callable[[int, int], None],
) -> Curve:
    """Train in place; the network ends with the weights that did best on validation.

    If usable weights at the start may be as good, by the paired interval of the difference, these are restored: then
    nothing was learnt. Of many epochs one is better by chance, even after a training on wrong labels.

    Args:
        trainee: the network.
        epoch_batches: the batches of an epoch, counted from 0.
        objective: returns the loss of the vectors of a batch; its own weights have the rate of the last list.
        course: how long and how fast.
        checkpoint: where the state after each epoch is saved; a training that was killed goes on from there.
        processes: that train together; the first one validates and saves.
        progress: called with the number of steps done and the number of all steps.

    Raises:
        VsearchError: there was no batch, the loss is no number, all vectors have become the same, or the memory is too
            small.
    """
    run = _Run(trainee, objective, course, processes)
    state = checkpoint.restore(run.network, objective, run.optimiser) if checkpoint else None
    state = state or run.begun(epoch_batches)
    with torch.random.fork_rng(devices=[]):
        for epoch in range(len(state.curve.epochs), state.epochs):
            if state.curve.epochs_without_gain >= course.patience_epochs:
                break
            losses = run.epoch(epoch, epoch_batches(epoch), state, progress)
            state = run.followed(state, losses)
            if checkpoint and processes.rank == 0:
                checkpoint.save(run.network, objective, run.optimiser, state)
    progress(state.epochs * state.steps, state.epochs * state.steps)
    curve = replace(state.curve, may_be_chance=_may_be_chance(state, seed=course.seed))
    run.network.load_state_dict(state.start if curve.best == 0 else state.best)
    run.network.eval().cpu()
    return curve


def _may_be_chance(state: State, *, seed: int) -> bool:
    """Return whether the best weights may be no better than usable ones at the start."""
    if state.curve.recall_at_start is None or state.curve.best_recall is None:
        return False
    gain = paired_difference(state.best_recalls.tolist(), state.recalls_at_start.tolist(), seed=seed)
    return gain.low <= 0


class _Run:
    def __init__(self, trainee: Trainee, objective: Objective, course: Course, processes: Processes) -> None:
        self.network = trainee.network.to(training_device())
        self._trainee, self._objective, self._course, self._processes = trainee, objective, course, processes
        own = [weight for weight in objective.parameters() if weight.requires_grad]
        self._rates = [*trainee.rates, (own, trainee.rates[-1][1])] if own else trainee.rates
        self.optimiser = self._new_optimiser()

    def begun(self, epoch_batches: Batches) -> State:
        """Return the state before the first epoch, with as many steps as the time allows."""
        course, began = self._course, perf_counter()
        recalls = self._recalls()
        validation_seconds = perf_counter() - began
        weights = _copied(self.network)
        curve = Curve(_mean(recalls) if self._trainee.is_usable else None)
        state = State(curve, weights, weights, recalls, recalls, course.epochs, course.steps)
        if course.seconds is None:
            return state
        remembered = _copied(self._objective)
        timed = list(islice(epoch_batches(0), TIMED_STEPS))
        if not timed:
            raise VsearchError(_NO_EXAMPLE)
        batches = cycle(timed)  # a small snapshot has fewer batches than are timed
        self._trainee.start()
        step_seconds = seconds_of(lambda: self._step(next(batches)))
        self.network.load_state_dict(state.start)
        self._objective.load_state_dict(remembered)
        self.optimiser = self._new_optimiser()
        epochs, steps = steps_within(
            course.seconds - (perf_counter() - began),
            epochs=course.epochs,
            steps=course.steps,
            step_seconds=step_seconds,
            validation_seconds=validation_seconds,
        )
        epochs, steps = self._processes.of_first((epochs, steps))
        return replace(state, epochs=epochs, steps=steps)

    def epoch(
        self, epoch: int, batches: Iterator[Batch], state: State, progress: Callable[[int, int], None]
    ) -> list[float]:
        """Train for an epoch and return the losses of its steps."""
        # Each epoch has random numbers of its own, so a resumed training draws what an unbroken one would.
        torch.manual_seed(self._course.seed + epoch)
        self._trainee.start()
        losses: list[float] = []
        first, total = epoch * state.steps, state.epochs * state.steps
        for batch in islice(batches, state.steps):
            share = _share_of_rate(first + len(losses), total)
            for group, (_, rate) in zip(self.optimiser.param_groups, self._rates, strict=True):
                group["lr"] = rate * share
            losses.append(self._step(batch))
            progress(first + len(losses), total)
        if not losses:
            raise VsearchError(_NO_EXAMPLE)
        return losses

    def followed(self, state: State, losses: list[float]) -> State:
        """Return the state after an epoch of steps with these losses."""
        recalls = self._recalls()
        curve = state.curve.followed_by(Epoch(sum(losses) / len(losses), _mean(recalls), len(losses)))
        if curve.best < len(curve.epochs):
            return replace(state, curve=curve)
        return replace(state, curve=curve, best=_copied(self.network), best_recalls=recalls)

    def _recalls(self) -> Tensor:
        """Return the recall of each query (queries,) on validation, as the first process measures it."""
        self.network.eval()
        recalls = self._trainee.validate() if self._processes.rank == 0 else np.empty(0)
        return torch.from_numpy(self._processes.of_first(recalls))

    def _step(self, batch: Batch) -> float:
        try:
            return update(
                self.network,
                batch,
                self._objective,
                self.optimiser,
                dimension=self._trainee.dimension,
                max_gradient=self._course.max_gradient,
                pictures_at_once=self._course.pictures_at_once,
                processes=self._processes,
            )
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            raise VsearchError(
                f"the training ran out of memory on {len(batch.inputs)} pictures: lower training.pictures_at_once "
                f"({self._course.pictures_at_once}), or training.batch_size ({len(batch.plan.labels)})"
            ) from None

    def _new_optimiser(self) -> torch.optim.Optimizer:
        groups = [{"params": weights, "lr": rate} for weights, rate in self._rates]
        return torch.optim.AdamW(groups, weight_decay=self._course.weight_decay)


def _mean(recalls: Tensor) -> float | None:
    return float(recalls.mean()) if len(recalls) else None


def _copied(network: nn.Module) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in network.state_dict().items()}


def _share_of_rate(step: int, total: int) -> float:
    warmup = max(1, round(total * WARMUP_SHARE))
    if step < warmup:
        return (step + 1) / warmup
    return 0.5 * (1 + math.cos(math.pi * min(1.0, (step - warmup) / max(1, total - warmup))))
