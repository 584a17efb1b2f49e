"""Makes a model by training: the projection of a frozen backbone, or the whole network."""

import copy
import hashlib
import json
import math
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from pyspark.sql import functions as F

from vsearch_lib.config.settings import Training
from vsearch_lib.context import StepContext
from vsearch_lib.embedding.projected import Fitted, fit_projection, save_projected
from vsearch_lib.encoder.network import Encoder
from vsearch_lib.errors import VsearchError
from vsearch_lib.examples.learnable import images_to_learn_from
from vsearch_lib.examples.usable import require_learnable
from vsearch_lib.figures import Figure
from vsearch_lib.lake.training_snapshots import training_snapshots_uri
from vsearch_lib.models.load import load_model
from vsearch_lib.models.registration import register
from vsearch_lib.models.registry import Card, Recipe
from vsearch_lib.run_ids import version_of
from vsearch_lib.training.checkpoint import Checkpoint
from vsearch_lib.training.curve import Curve
from vsearch_lib.training.depth import Depth
from vsearch_lib.training.features import collect_features
from vsearch_lib.training.feed import Batch, read_epoch
from vsearch_lib.training.head import Head, head_trainee
from vsearch_lib.training.inputs import Features, Inputs, Pixels
from vsearch_lib.training.local_snapshot import LocalSnapshot, open_snapshot
from vsearch_lib.training.loop import Course, Trainee, train
from vsearch_lib.training.validation import Validation, judged_validation, mutual_neighbours, recall_of_each_query
from vsearch_lib.training.whole import encoded, whole_trainee
from vsearch_lib.vectors import Vectors

# Pictures are decoded a little larger than the views cut from them, so that a crop does not blow pixels up.
DECODED_TO_VIEW = 1.25
# Validation ranks so many pictures after each epoch: features take milliseconds, pictures minutes on a slow processor.
VALIDATION_FEATURES = 4000
VALIDATION_PICTURES = 600


@dataclass(frozen=True)
class Prepared:
    """All that trainings of one encoder on one snapshot have in common: they differ in their settings alone.

    Attributes:
        context: of the step; a training gets its settings separately.
        encoder: as each training begins.
        backbone: the card of the frozen backbone.
        snapshot: is opened.
        name: of the snapshot.
        depth: head or full.
        fitted: the projection that a pretrained network begins with, None for another network.
        features: (pictures, width) of the frozen backbone for the snapshot's pictures; without `fitted` there are none.
        validation: queries of the validation split, and what each of them should find.
        is_judged: whether that is what annotators found alike; if they judged too few, it is the neighbours among the
            frozen features.
        catalogue: (n, width) features of the pictures of the validation; without `fitted` there are none.
        jpegs: (n) these pictures, if the training needs them.
    """

    context: StepContext
    encoder: Encoder
    backbone: Card
    snapshot: LocalSnapshot
    name: str
    depth: Depth
    fitted: Fitted | None
    features: Vectors
    validation: Validation
    is_judged: bool
    catalogue: Vectors
    jpegs: list[bytes]


@dataclass(frozen=True)
class Trained:
    """A trained encoder, and the curve of its training."""

    encoder: Encoder
    curve: Curve


def make_trained(
    context: StepContext, encoder: Encoder, recipe: Recipe, backbone: Card, snapshot: str, depth: Depth
) -> list[Figure]:
    """Train `encoder` on the snapshot and register it; return its figures.

    Raises:
        VsearchError: an image of the snapshot may not be learnt from any more, or the training came to nothing.
    """
    with prepared(context, encoder, recipe, backbone, snapshot, depth) as run:
        trained = train_once(run, context.settings.training)
    return _register(run, recipe, trained)


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
    seed = context.settings.training.seed
    fitted = None
    if recipe.weights != "none":
        fitted = fit_projection(context, backbone, dimension=encoder.dimension, seed=seed)
        assert encoder.projection is not None  # every recipe except the backbone's has a dimension
        encoder.projection.set_to(fitted.projection)
    with tempfile.TemporaryDirectory(prefix="vsearch-training-") as name:
        folder = Path(name)
        local = open_snapshot(training_snapshots_uri(context.lake), snapshot, folder)
        limit = VALIDATION_FEATURES if depth == "head" else VALIDATION_PICTURES
        validation = judged_validation(context, local.hashes, max_pictures=limit)
        is_judged = validation.is_enough
        features = catalogue = np.empty((0, backbone.dimension), dtype=np.float32)
        if fitted is not None:
            features = collect_features(context, backbone, local.hashes, fitted, folder / "train")
            catalogue = collect_features(context, backbone, validation.catalogue, fitted, folder / "known")
            if not is_judged:
                validation = replace(validation, relevant=mutual_neighbours(catalogue, len(validation.queries)))
        yield Prepared(
            context=context,
            encoder=encoder,
            backbone=backbone,
            snapshot=local,
            name=snapshot,
            depth=depth,
            fitted=fitted,
            features=features,
            validation=validation,
            is_judged=is_judged,
            catalogue=catalogue,
            jpegs=_jpegs(context, validation.catalogue) if depth == "full" and validation.is_enough else [],
        )


def train_once(run: Prepared, training: Training) -> Trained:
    """Train a copy of the encoder with these settings.

    Raises:
        VsearchError: the training came to nothing.
    """
    encoder = copy.deepcopy(run.encoder)
    if run.fitted is not None:
        assert encoder.projection is not None
        head = head_trainee(
            encoder.projection,
            learning_rate=training.learning_rate if run.depth == "head" else None,
            dropout=training.dropout,
            validation=run.catalogue,
            relevant=run.validation.relevant,
        )
        curve = _course(run, training, head, Features(run.features), "head")
        if run.depth == "head":
            return Trained(encoder, curve)
    side = encoder.preprocessing.side
    whole = whole_trainee(
        encoder,
        learning_rate=training.learning_rate,
        boxes=run.snapshot.boxes,
        pretrained=run.fitted is not None,
        validation=run.jpegs,
        relevant=run.validation.relevant,
    )
    pixels = Pixels(run.snapshot, replace(encoder.preprocessing, side=round(side * DECODED_TO_VIEW)))
    return Trained(encoder, _course(run, training, whole, pixels, "full"))


def validation_recalls(run: Prepared, encoder: Encoder) -> list[float]:
    """Return the recall of each query of the validation with a trained `encoder`; their mean is that of its epoch."""
    if run.depth == "head":
        assert encoder.projection is not None
        with torch.inference_mode():
            vectors = Head(encoder.projection, dropout=0).eval()(torch.from_numpy(run.catalogue)).numpy()
    else:
        vectors = encoded(encoder, run.jpegs)
    recalls: list[float] = recall_of_each_query(vectors, run.validation.relevant).tolist()
    return recalls


def _jpegs(context: StepContext, hashes: list[str]) -> list[bytes]:
    wanted = context.spark.createDataFrame([(sha256,) for sha256 in hashes], "sha256 string")
    rows = context.lake.read("image_pixels").join(F.broadcast(wanted), "sha256").select("sha256", "jpeg").collect()
    jpegs = {row["sha256"]: bytes(row["jpeg"]) for row in rows}
    return [jpegs[sha256] for sha256 in hashes]


def _course(run: Prepared, training: Training, trainee: Trainee, inputs: Inputs, depth: Depth) -> Curve:
    """Train, going on from the checkpoint of an interrupted run if there is one."""
    course = Course(
        epochs=training.epochs,
        steps=math.ceil(run.snapshot.rows / training.batch_size),
        patience_epochs=training.patience_epochs,
        weight_decay=training.weight_decay,
        max_gradient=training.max_gradient,
        temperature=training.temperature,
        seed=training.seed,
    )

    def epoch_batches(epoch: int) -> Iterator[Batch]:
        return read_epoch(run.snapshot, inputs, epoch, batch_size=training.batch_size, seed=training.seed)

    file = Path(run.context.settings.cache) / "training" / f"{depth}-{_digest(run, training, course)}.safetensors"
    checkpoint = Checkpoint(file, run.context.say)
    try:
        curve = train(trainee, epoch_batches, course, checkpoint=checkpoint, progress=run.context.progress)
    except VsearchError:
        checkpoint.remove()  # it would come to nothing again
        raise
    checkpoint.remove()
    return curve


def _digest(run: Prepared, training: Training, course: Course) -> str:
    """Return a hash of all that a training depends on."""
    settings = training.model_dump(mode="json")
    fields = [run.name, asdict(course), dict(run.backbone.files), run.encoder.dimension, settings]
    return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()[:16]


def _register(run: Prepared, recipe: Recipe, trained: Trained) -> list[Figure]:
    context, models_uri = run.context, run.context.settings.models.uri
    encoder, curve = trained.encoder, trained.curve
    card = register(
        models_uri,
        encoder,
        version=version_of(context.run_id, after=run.backbone.version),
        recipe=replace(recipe, training=run.depth),
        run_id=context.run_id,
        training_snapshot=run.name,
        training=_record(context, curve),
        graph=load_model(models_uri, run.backbone.version).graph if run.depth == "head" else None,
        say=context.say,
    )
    if run.depth == "head":
        assert run.fitted is not None
        assert encoder.projection is not None
        save_projected(context, card.version, encoder.projection.as_arrays(), run.fitted)
    context.made["model"] = card.version
    subject = f"model {card.version}"
    losses = {"first": curve.epochs[0].loss, "last": curve.epochs[-1].loss} if curve.epochs else {}
    figures = [Figure("training_loss", loss, subject=subject, slice=name) for name, loss in losses.items()]
    recalls = {"before": curve.recall_at_start, "after": curve.best_recall}
    figures += [
        Figure("validation_recall", recall, subject=subject, slice=name)
        for name, recall in recalls.items()
        if recall is not None
    ]
    context.say(f"train_encoder: {card.version}: {_outcome(curve)}")
    return [Figure("training_epochs", len(curve.epochs), subject=subject), *figures]


def _outcome(curve: Curve) -> str:
    """Return how the training went, in words."""
    epochs = f"{len(curve.epochs)} epoch{'' if len(curve.epochs) == 1 else 's'}"
    if curve.best_recall is None:
        return f"trained for {epochs}; too few judged pairs of validation images to tell how good it is"
    if curve.best == 0:
        return f"{epochs} of training raised the recall on validation images in none of them; its weights are untrained"
    before = "" if curve.recall_at_start is None else f", {curve.recall_at_start:.3f} before"
    return f"trained for {epochs}; recall on validation images {curve.best_recall:.3f}{before}, best after {curve.best}"


def _record(context: StepContext, curve: Curve) -> dict[str, object]:
    """Return what the card says about the training."""
    training = context.settings.training.model_dump(mode="json", exclude={"depth", "min_pairs"})
    losses = {"first_loss": curve.epochs[0].loss, "last_loss": curve.epochs[-1].loss} if curve.epochs else {}
    return {**training, **losses, "best_epoch": curve.best, "curve": asdict(curve)}
