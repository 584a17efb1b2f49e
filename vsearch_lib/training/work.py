"""The work of a process of a training: it makes the network, and trains the projection, then perhaps all of it."""

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from time import monotonic

import torch
from safetensors.torch import load
from torch import Tensor

from vsearch_lib.config.settings import Training
from vsearch_lib.encoder.network import Encoder
from vsearch_lib.encoder.preprocessing import Preprocessing
from vsearch_lib.errors import VsearchError
from vsearch_lib.storage import open_store
from vsearch_lib.training.batch_norm import folded_batch_norm
from vsearch_lib.training.checkpoint import Checkpoint
from vsearch_lib.training.curve import Curve
from vsearch_lib.training.device import training_device
from vsearch_lib.training.feed import Batch, read_epoch
from vsearch_lib.training.head import head_trainee
from vsearch_lib.training.inputs import Features, Inputs, Views
from vsearch_lib.training.local_snapshot import LocalSnapshot
from vsearch_lib.training.loop import Course, Trainee, train
from vsearch_lib.training.material import Material
from vsearch_lib.training.objectives.objective import Objective, relations_of
from vsearch_lib.training.processes import ALONE, Processes
from vsearch_lib.training.whole import PRETRAINED_VIEWS, whole_trainee


@dataclass(frozen=True)
class Work:
    """What is to be trained, and how: plain data, the same in every process.

    Attributes:
        backbone: name of the architecture.
        dimension: of the vectors.
        preprocessing: of the pictures.
        settings: the section `training`.
        depth: how much is trained.
        is_usable: whether the network is of use before the training: its weights are not random.
        checkpoints_uri: the folder of the checkpoints.
        digest: a hash of all that the training depends on; it names the checkpoints.
    """

    backbone: str
    dimension: int
    preprocessing: Preprocessing
    settings: Training
    depth: str
    is_usable: bool
    checkpoints_uri: str
    digest: str


def do(
    work: Work,
    material: Material,
    snapshot: LocalSnapshot,
    *,
    processes: Processes = ALONE,
    say: Callable[[str], None],
    progress: Callable[[int, int], None],
) -> tuple[Encoder, Curve]:
    """Return the trained network and the curve of its last training.

    Raises:
        VsearchError: the training came to nothing (`train`).
    """
    encoder = encoder_with(load(material.start), work)
    training = work.settings
    deadline = monotonic() + 60 * training.max_minutes if training.max_minutes else None

    def run(trainee: Trainee, inputs: Inputs, part: str) -> Curve:
        course = Course(
            epochs=training.epochs,
            steps=math.ceil(snapshot.rows / training.batch_size),
            seconds=None if deadline is None else deadline - monotonic(),
            patience_epochs=training.patience_epochs,
            weight_decay=training.weight_decay,
            max_gradient=training.max_gradient,
            pictures_at_once=training.pictures_at_once,
            seed=training.seed,
        )

        def epoch_batches(epoch: int) -> Iterator[Batch]:
            return read_epoch(
                snapshot,
                inputs,
                epoch,
                batch_size=training.batch_size,
                seed=training.seed,
                relations=relations,
                processes=processes,
            )

        network = trainee.network.to(training_device())
        relations = relations_of(training, snapshot, differs=inputs.differs, frozen=material.frozen)
        objective = Objective(training, network, relations, dimension=work.dimension, frozen=material.frozen)
        checkpoint = Checkpoint(open_store(work.checkpoints_uri), f"{part}-{work.digest}.safetensors", say)
        try:
            return train(
                trainee,
                epoch_batches,
                objective.to(training_device()),
                course,
                checkpoint=checkpoint,
                processes=processes,
                progress=progress,
            )
        except VsearchError:
            forget(work)  # it would come to nothing again; after a killed process the checkpoint stays
            raise

    if material.features is not None:
        assert encoder.projection is not None
        head = head_trainee(
            encoder.projection,
            learning_rate=training.learning_rate if work.depth == "head" else None,
            validation=material.validation_features,
            relevant=material.relevant,
        )
        mean = encoder.projection.as_arrays().mean
        curve = run(head, Features(material.features, mean, dropout=training.dropout), "head")
        if work.depth == "head":
            return encoder, curve
    encoder.to(training_device())
    whole = whole_trainee(
        encoder,
        learning_rate=training.learning_rate,
        frozen_layers=training.frozen_layers,
        layer_decay=training.layer_decay,
        pretrained=work.is_usable,
        validation=material.validation_jpegs,
        relevant=material.relevant,
    )
    with folded_batch_norm(encoder, _example(work.preprocessing.side)) if work.is_usable else nullcontext():
        return encoder, run(whole, _views(work, snapshot), "full")


def _views(work: Work, snapshot: LocalSnapshot) -> Views:
    training, side = work.settings, work.preprocessing.side
    strength = training.view_strength
    if strength is None:
        strength = PRETRAINED_VIEWS if work.is_usable else 1
    return Views(snapshot, work.preprocessing, side=training.view_side or side, strength=strength)


def _example(side: int) -> Tensor:
    """Return pictures (2, 3, side, side) of which no two pixels near each other are the same."""
    return (torch.arange(2 * 3 * side**2, device=training_device()) * 37 % 256).view(2, 3, side, side)


def encoder_with(weights: Mapping[str, Tensor], work: Work) -> Encoder:
    """Return the network with these weights."""
    encoder = Encoder(work.backbone, dimension=work.dimension, side=work.preprocessing.side)
    encoder.set_preprocessing(work.preprocessing)
    if "projection.inner" in weights:
        encoder.add_hidden_layer(len(weights["projection.inner"]), seed=0)
    encoder.load_state_dict(weights)
    return encoder


def forget(work: Work) -> None:
    """Delete the checkpoints: the training is over."""
    store = open_store(work.checkpoints_uri)
    for part in ("head", "full"):
        store.delete(f"{part}-{work.digest}.safetensors")
