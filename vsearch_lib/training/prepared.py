"""What trainings of one network on one snapshot have in common: they differ in their settings alone."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from pyspark.sql import functions as F

from vsearch_lib.context import StepContext
from vsearch_lib.embedding.projected import Fitted, fit_projection
from vsearch_lib.encoder.network import Encoder
from vsearch_lib.examples.learnable import images_to_learn_from
from vsearch_lib.examples.usable import require_learnable
from vsearch_lib.lake.training_snapshots import training_snapshots_uri
from vsearch_lib.models.registry import Card, Recipe
from vsearch_lib.models.weights import serialise
from vsearch_lib.training.depth import Depth
from vsearch_lib.training.features import collect_features, collect_view_features
from vsearch_lib.training.local_snapshot import LocalSnapshot, open_snapshot
from vsearch_lib.training.material import Material
from vsearch_lib.training.validation import Validation, judged_validation, mutual_neighbours

# Validation ranks so many pictures after each epoch: features take milliseconds, pictures minutes on a slow processor.
VALIDATION_FEATURES = 4000
VALIDATION_PICTURES = 600


@dataclass(frozen=True)
class Prepared:
    """A snapshot and a network, ready to be trained.

    Attributes:
        context: of the step; a training gets its settings separately.
        encoder: as each training begins.
        backbone: the card of the frozen backbone.
        snapshot: is opened.
        name: of the snapshot.
        depth: head or full.
        fitted: the projection that a pretrained network begins with, None for another network.
        validation: queries of the validation split, and what each of them should find.
        is_judged: whether that is what annotators found alike; if they judged too few, it is the neighbours among the
            frozen features.
        material: what each training is made of.
    """

    context: StepContext
    encoder: Encoder
    backbone: Card
    snapshot: LocalSnapshot
    name: str
    depth: Depth
    fitted: Fitted | None
    validation: Validation
    is_judged: bool
    material: Material


@contextmanager
def prepared(
    context: StepContext, encoder: Encoder, recipe: Recipe, backbone: Card, snapshot: str, depth: Depth
) -> Iterator[Prepared]:
    """Fit the projection with which a pretrained `encoder` begins, and fetch the snapshot, features and validation.

    Raises:
        VsearchError: an image of the snapshot may not be learnt from any more.
    """
    examples = context.lake.read("training_examples").where(
        (F.col("snapshot") == snapshot) & (F.col("split") == "train")
    )
    require_learnable(snapshot, examples, images_to_learn_from(context.lake, context.settings))
    fitted = None
    if recipe.weights != "none":
        seed = context.settings.training.seed
        fitted = fit_projection(context, backbone, dimension=encoder.dimension, seed=seed)
        assert encoder.projection is not None  # every recipe except the backbone's has a dimension
        encoder.projection.set_to(fitted.projection)
    if context.settings.training.hidden:
        encoder.add_hidden_layer(context.settings.training.hidden, seed=context.settings.training.seed)
    with tempfile.TemporaryDirectory(prefix="vsearch-training-") as name:
        folder = Path(name)
        local = open_snapshot(training_snapshots_uri(context.lake), snapshot, folder)
        limit = VALIDATION_FEATURES if depth == "head" else VALIDATION_PICTURES
        validation = judged_validation(context, local.hashes, max_pictures=limit)
        is_judged = validation.is_enough
        features, known = None, np.empty((0, backbone.dimension), dtype=np.float32)
        if fitted is not None:
            views = context.settings.training.views
            features = collect_view_features(
                context, backbone, local.hashes, fitted, local.boxes, views, folder / "train"
            )
            known = collect_features(context, backbone, validation.catalogue, fitted, folder / "known")
            if not is_judged:
                validation = replace(validation, relevant=mutual_neighbours(known, len(validation.queries)))
        jpegs = _jpegs(context, validation.catalogue) if depth == "full" and is_judged else []
        yield Prepared(
            context=context,
            encoder=encoder,
            backbone=backbone,
            snapshot=local,
            name=snapshot,
            depth=depth,
            fitted=fitted,
            validation=validation,
            is_judged=is_judged,
            material=Material(serialise(encoder), features, known, jpegs, validation.relevant),
        )


def _jpegs(context: StepContext, hashes: list[str]) -> list[bytes]:
    wanted = context.spark.createDataFrame([(sha256,) for sha256 in hashes], "sha256 string")
    rows = context.lake.read("image_pixels").join(F.broadcast(wanted), "sha256").select("sha256", "jpeg").collect()
    jpegs = {row["sha256"]: bytes(row["jpeg"]) for row in rows}
    return [jpegs[sha256] for sha256 in hashes]
