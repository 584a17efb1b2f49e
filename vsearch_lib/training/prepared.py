"""What trainings of one network on one snapshot have in common: they differ in their settings alone."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from pyspark.sql import functions as F

from vsearch_lib.context import StepContext
from vsearch_lib.encoder.network import Encoder, HiddenProjection
from vsearch_lib.examples.learnable import images_to_learn_from
from vsearch_lib.examples.usable import require_learnable
from vsearch_lib.lake.training_snapshots import training_snapshots_uri
from vsearch_lib.models.registry import Card, Recipe
from vsearch_lib.models.weights import serialise
from vsearch_lib.training.depth import Depth
from vsearch_lib.training.features import collect_vectors, collect_view_features
from vsearch_lib.training.local_snapshot import LocalSnapshot, open_snapshot
from vsearch_lib.training.material import Material
from vsearch_lib.training.objectives.frozen import frozen_vectors
from vsearch_lib.training.start import Start, choose_start
from vsearch_lib.training.teacher import teacher_of
from vsearch_lib.training.validation import Validation, judged_validation, mutual_neighbours
from vsearch_lib.vectors import Vectors

# Validation ranks so many pictures after each epoch: features take milliseconds, pictures minutes on a slow processor.
VALIDATION_FEATURES = 4000
VALIDATION_PICTURES = 600


@dataclass(frozen=True)
class Prepared:
    """A snapshot and a network, ready to be trained.

    Attributes:
        context: of the step; a training gets its settings separately.
        start: what each training starts from.
        backbone: the card of the frozen backbone.
        snapshot: is opened.
        name: of the snapshot.
        depth: head or full.
        validation: queries of the validation split, and what each of them should find.
        is_judged: whether that is what annotators found alike; if they judged too few, it is the neighbours among the
            frozen features, or by the model that the training starts from.
        material: what each training is made of.
    """

    context: StepContext
    start: Start
    backbone: Card
    snapshot: LocalSnapshot
    name: str
    depth: Depth
    validation: Validation
    is_judged: bool
    material: Material

    @property
    def origin(self) -> Card:
        """The model whose weights the training starts from."""
        return self.start.parent or self.backbone


@contextmanager
def prepared(
    context: StepContext, encoder: Encoder, recipe: Recipe, backbone: Card, snapshot: str, depth: Depth
) -> Iterator[Prepared]:
    """Choose what the training starts from, `encoder` or a copy of the model in use, and fetch all that it is made of.

    Raises:
        UsageError: the settings name a start or a teacher that does not fit them.
        VsearchError: an image of the snapshot may not be learnt from any more.
    """
    examples = context.lake.read("training_examples").where(
        (F.col("snapshot") == snapshot) & (F.col("split") == "train")
    )
    require_learnable(snapshot, examples, images_to_learn_from(context.lake, context.settings))
    teacher = teacher_of(context.settings)
    start = choose_start(context, encoder, recipe, backbone, depth)
    training = context.settings.training
    if training.hidden and not isinstance(start.encoder.projection, HiddenProjection):
        start.encoder.add_hidden_layer(training.hidden, seed=training.seed)
    with tempfile.TemporaryDirectory(prefix="vsearch-training-") as name:
        folder = Path(name)
        local = open_snapshot(training_snapshots_uri(context.lake), snapshot, folder)
        limit = VALIDATION_FEATURES if depth == "head" else VALIDATION_PICTURES
        validation = judged_validation(context, local.hashes, max_pictures=limit)
        is_judged = validation.is_enough
        features, known = None, np.empty((0, backbone.dimension), dtype=np.float32)
        if start.sample is not None:
            views = training.views
            features = collect_view_features(
                context, backbone, local.hashes, local.boxes, views, folder / "train", sample=start.sample
            )
            known = collect_vectors(context, backbone, validation.catalogue, folder / "known", sample=start.sample)
        elif start.parent is not None and not is_judged:
            known = collect_vectors(context, start.parent, validation.catalogue, folder / "known")
        if not is_judged and len(known):
            validation = replace(validation, relevant=mutual_neighbours(known, len(validation.queries)))
        frozen = None
        if teacher is not None:
            frozen = collect_vectors(context, teacher, local.hashes, folder / "frozen")
        elif training.keep_frozen or training.neighbours:
            frozen = _before_training(context, start, features, local.hashes, folder / "frozen")
        whole = depth == "full" and len(validation.relevant) > 0
        jpegs = _jpegs(context, validation.catalogue) if whole and (is_judged or len(known)) else []
        yield Prepared(
            context=context,
            start=start,
            backbone=backbone,
            snapshot=local,
            name=snapshot,
            depth=depth,
            validation=validation,
            is_judged=is_judged,
            material=Material(serialise(start.encoder), features, frozen, known, jpegs, validation.relevant),
        )


def _before_training(
    context: StepContext, start: Start, features: Vectors | None, hashes: list[str], file: Path
) -> Vectors | None:
    """Return unit vectors (pictures, d) by the network that the training starts from, None if that is random."""
    if features is not None:
        assert start.encoder.projection is not None
        return frozen_vectors(features[:, 0], start.encoder.projection.as_arrays())
    return collect_vectors(context, start.parent, hashes, file) if start.parent is not None else None


def _jpegs(context: StepContext, hashes: list[str]) -> list[bytes]:
    wanted = context.spark.createDataFrame([(sha256,) for sha256 in hashes], "sha256 string")
    rows = context.lake.read("image_pixels").join(F.broadcast(wanted), "sha256").select("sha256", "jpeg").collect()
    jpegs = {row["sha256"]: bytes(row["jpeg"]) for row in rows}
    return [jpegs[sha256] for sha256 in hashes]
