"""Makes a model by training: the projection of a frozen backbone, or the whole network."""

import hashlib
import json
import tempfile
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from pyspark.sql import functions as F

from vsearch_lib.context import StepContext
from vsearch_lib.embedding.projected import Fitted, fit_projection, save_projected
from vsearch_lib.encoder.network import Encoder
from vsearch_lib.examples.learnable import images_to_learn_from
from vsearch_lib.examples.usable import require_learnable
from vsearch_lib.figures import Figure
from vsearch_lib.lake.training_snapshots import training_snapshots_uri
from vsearch_lib.models.load import load_model
from vsearch_lib.models.promotion import version_in_use
from vsearch_lib.models.registration import register
from vsearch_lib.models.registry import Card, Recipe, newest
from vsearch_lib.models.tracking import track_training
from vsearch_lib.models.weights import serialise
from vsearch_lib.run_ids import version_of
from vsearch_lib.training.curve import Curve
from vsearch_lib.training.depth import Depth
from vsearch_lib.training.distributed import do_together
from vsearch_lib.training.features import collect_features
from vsearch_lib.training.local_snapshot import open_snapshot
from vsearch_lib.training.material import Material
from vsearch_lib.training.validation import judged_validation, mutual_neighbours
from vsearch_lib.training.work import Work, do, forget

# Validation ranks so many pictures after each epoch: features take milliseconds, pictures minutes on a slow processor.
VALIDATION_FEATURES = 4000
VALIDATION_PICTURES = 600


@dataclass(frozen=True)
class _Run:
    """A training of a snapshot; `fitted` is the projection that a pretrained network starts with."""

    context: StepContext
    encoder: Encoder
    backbone: Card
    snapshot: str
    fitted: Fitted | None


def make_trained(
    context: StepContext, encoder: Encoder, recipe: Recipe, backbone: Card, snapshot: str, depth: Depth
) -> list[Figure]:
    """Train `encoder` on the snapshot and register it; return its figures.

    If nothing was learnt, it is registered only if there is no model of its recipe yet.

    Raises:
        VsearchError: an image of the snapshot may not be learnt from any more, or the training came to nothing.
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
    run = _Run(context, encoder, backbone, snapshot, fitted)
    curve = _train(run, depth)
    if _learnt_nothing(run, curve) and newest(context.settings.models.uri, recipe):
        context.say(
            f"train_encoder: {_epochs(curve)} of training raised the recall on validation images in none of them: "
            "nothing was learnt, and no new model is registered; score more pairs (vsearch label next), or set "
            "training.depth = none, which fits the projection to the pictures of today"
        )
        return []
    return _register(run, recipe, depth, curve)


def _learnt_nothing(run: _Run, curve: Curve) -> bool:
    """Return whether the weights are those before the training; a whole network starts from a trained head."""
    if run.fitted is None or curve.best > 0:
        return False
    assert run.encoder.projection is not None
    return np.array_equal(run.encoder.projection.as_arrays().axes, run.fitted.projection.axes)


def _train(run: _Run, depth: Depth) -> Curve:
    """Train the encoder in place."""
    context, settings = run.context, run.context.settings.training
    snapshots_uri = training_snapshots_uri(context.lake)
    work = Work(
        run.encoder.backbone_name,
        run.encoder.dimension,
        run.encoder.preprocessing,
        settings,
        depth,
        checkpoints_uri=f"{snapshots_uri}/{run.snapshot}/checkpoints",
        digest=_digest(run),
    )
    with tempfile.TemporaryDirectory(prefix="vsearch-training-") as folder:
        snapshot = open_snapshot(snapshots_uri, run.snapshot, Path(folder))
        material = _material(run, snapshot.hashes, depth, Path(folder))
        if settings.processes == 1:
            trained, curve = do(work, material, snapshot, say=context.say, progress=context.progress)
            weights = trained.state_dict()
        else:
            weights, curve = do_together(
                context.spark,
                work,
                material,
                snapshots_uri,
                run.snapshot,
                processes=settings.processes,
                say=context.say,
            )
    run.encoder.load_state_dict(weights)
    forget(work)
    return curve


def _material(run: _Run, pictures: list[str], depth: Depth, folder: Path) -> Material:
    limit = VALIDATION_FEATURES if depth == "head" else VALIDATION_PICTURES
    validation = judged_validation(run.context, pictures, max_pictures=limit)
    jpegs = _jpegs(run.context, validation.catalogue) if depth == "full" and validation.is_enough else []
    if run.fitted is None:
        return Material(serialise(run.encoder), None, np.zeros((0, 1), np.float32), jpegs, validation.relevant)
    features = collect_features(run.context, run.backbone, pictures, run.fitted, folder / "train")
    catalogue = collect_features(run.context, run.backbone, validation.catalogue, run.fitted, folder / "known")
    relevant = validation.relevant if validation.is_enough else mutual_neighbours(catalogue, len(validation.queries))
    return Material(serialise(run.encoder), features, catalogue, jpegs, relevant)


def _jpegs(context: StepContext, hashes: list[str]) -> list[bytes]:
    wanted = context.spark.createDataFrame([(sha256,) for sha256 in hashes], "sha256 string")
    rows = context.lake.read("image_pixels").join(F.broadcast(wanted), "sha256").select("sha256", "jpeg").collect()
    jpegs = {row["sha256"]: bytes(row["jpeg"]) for row in rows}
    return [jpegs[sha256] for sha256 in hashes]


def _digest(run: _Run) -> str:
    """Return a hash of all that a training depends on."""
    training = run.context.settings.training.model_dump(mode="json")
    fields = [run.snapshot, dict(run.backbone.files), run.encoder.dimension, training]
    return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()[:16]


def _register(run: _Run, recipe: Recipe, depth: Depth, curve: Curve) -> list[Figure]:
    context, models_uri = run.context, run.context.settings.models.uri
    card = register(
        models_uri,
        run.encoder,
        version=version_of(context.run_id, after=run.backbone.version),
        recipe=replace(recipe, training=depth),
        run_id=context.run_id,
        training_snapshot=run.snapshot,
        training=_record(context, curve),
        parent=version_in_use(context.settings),
        graph=load_model(models_uri, run.backbone.version).graph if depth == "head" else None,
        say=context.say,
    )
    if depth == "head":
        assert run.fitted is not None
        assert run.encoder.projection is not None
        save_projected(context, card.version, run.encoder.projection.as_arrays(), run.fitted)
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
    figures.insert(0, Figure("training_epochs", len(curve.epochs), subject=subject))
    track_training(context.settings, card, figures, say=context.say)
    return figures


def _outcome(curve: Curve) -> str:
    """Return how the training went, in words."""
    epochs = _epochs(curve)
    if curve.best_recall is None:
        return f"trained for {epochs}; too few judged pairs of validation images to tell how good it is"
    if curve.best == 0:
        return f"{epochs} of training raised the recall on validation images in none of them; its weights are untrained"
    before = "" if curve.recall_at_start is None else f", {curve.recall_at_start:.3f} before"
    return f"trained for {epochs}; recall on validation images {curve.best_recall:.3f}{before}, best after {curve.best}"


def _epochs(curve: Curve) -> str:
    return f"{len(curve.epochs)} epoch{'' if len(curve.epochs) == 1 else 's'}"


def _record(context: StepContext, curve: Curve) -> dict[str, object]:
    """Return what the card says about the training."""
    training = context.settings.training.model_dump(mode="json", exclude={"depth", "min_pairs"})
    losses = {"first_loss": curve.epochs[0].loss, "last_loss": curve.epochs[-1].loss} if curve.epochs else {}
    return {**training, **losses, "best_epoch": curve.best, "curve": asdict(curve)}
