"""Makes a model by training: the projection of a frozen backbone, or the whole network."""

import hashlib
import json
import math
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from pyspark.sql import functions as F

from vsearch_lib.context import StepContext
from vsearch_lib.embedding.projected import save_projected
from vsearch_lib.encoder.network import Encoder
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
from vsearch_lib.training.features import collect_vectors
from vsearch_lib.training.feed import Batch, read_epoch
from vsearch_lib.training.head import head_trainee
from vsearch_lib.training.inputs import Features, Inputs, Pixels
from vsearch_lib.training.local_snapshot import LocalSnapshot, open_snapshot
from vsearch_lib.training.loop import Course, Trainee, train
from vsearch_lib.training.start import Start, choose_start
from vsearch_lib.training.validation import judged_validation, mutual_neighbours
from vsearch_lib.training.whole import whole_trainee

# Pictures are decoded a little larger than the views cut from them, so that a crop does not blow pixels up.
DECODED_TO_VIEW = 1.25
# Validation ranks so many pictures after each epoch: features take milliseconds, pictures minutes on a slow processor.
VALIDATION_FEATURES = 4000
VALIDATION_PICTURES = 600


@dataclass(frozen=True)
class _Run:
    """A training on an opened snapshot."""

    context: StepContext
    start: Start
    backbone: Card
    snapshot: LocalSnapshot
    name: str
    folder: Path

    @property
    def origin(self) -> Card:
        """The model whose weights the training starts from."""
        return self.start.parent or self.backbone


def make_trained(
    context: StepContext, encoder: Encoder, recipe: Recipe, backbone: Card, snapshot: str, depth: Depth
) -> list[Figure]:
    """Train `encoder`, or a copy of the model in use, on the snapshot and register it; return its figures.

    Raises:
        UsageError: the settings name a start or a teacher that does not fit them.
        VsearchError: an image of the snapshot may not be learnt from any more, or the training came to nothing.
    """
    examples = context.lake.read("training_examples").where(
        (F.col("snapshot") == snapshot) & (F.col("split") == "train")
    )
    require_learnable(snapshot, examples, images_to_learn_from(context.lake, context.settings))
    start = choose_start(context, encoder, recipe, backbone, depth)
    with tempfile.TemporaryDirectory(prefix="vsearch-training-") as folder:
        local = open_snapshot(training_snapshots_uri(context.lake), snapshot, Path(folder))
        run = _Run(context, start, backbone, local, snapshot, Path(folder))
        curve = _train(run, depth)
    return _register(run, recipe, depth, curve)


def _train(run: _Run, depth: Depth) -> Curve:
    training = run.context.settings.training
    limit = VALIDATION_FEATURES if depth == "head" else VALIDATION_PICTURES
    validation = judged_validation(run.context, run.snapshot.hashes, max_pictures=limit)
    encoder, parent, sample = run.start.encoder, run.start.parent, run.start.sample
    if sample is not None:
        assert encoder.projection is not None
        train_file, known_file = run.folder / "train", run.folder / "known"
        features = collect_vectors(run.context, run.backbone, run.snapshot.hashes, train_file, sample=sample)
        catalogue = collect_vectors(run.context, run.backbone, validation.catalogue, known_file, sample=sample)
        if not validation.is_enough:
            validation = replace(validation, relevant=mutual_neighbours(catalogue, len(validation.queries)))
        head = head_trainee(
            encoder.projection,
            learning_rate=training.learning_rate if depth == "head" else None,
            dropout=training.dropout,
            validation=catalogue,
            relevant=validation.relevant,
        )
        curve = _course(run, head, Features(features), "head")
        if depth == "head":
            return curve
    elif parent is not None and not validation.is_enough:
        known = collect_vectors(run.context, parent, validation.catalogue, run.folder / "known")
        validation = replace(validation, relevant=mutual_neighbours(known, len(validation.queries)))
    side = encoder.preprocessing.side
    whole = whole_trainee(
        encoder,
        learning_rate=training.learning_rate,
        boxes=run.snapshot.boxes,
        pretrained=run.start.is_usable,
        validation=_jpegs(run.context, validation.catalogue) if validation.is_enough else [],
        relevant=validation.relevant,
    )
    pixels = Pixels(run.snapshot, replace(encoder.preprocessing, side=round(side * DECODED_TO_VIEW)))
    return _course(run, whole, pixels, "full")


def _jpegs(context: StepContext, hashes: list[str]) -> list[bytes]:
    wanted = context.spark.createDataFrame([(sha256,) for sha256 in hashes], "sha256 string")
    rows = context.lake.read("image_pixels").join(F.broadcast(wanted), "sha256").select("sha256", "jpeg").collect()
    jpegs = {row["sha256"]: bytes(row["jpeg"]) for row in rows}
    return [jpegs[sha256] for sha256 in hashes]


def _course(run: _Run, trainee: Trainee, inputs: Inputs, depth: Depth) -> Curve:
    """Train, going on from the checkpoint of an interrupted run if there is one."""
    training = run.context.settings.training
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

    file = Path(run.context.settings.cache) / "training" / f"{depth}-{_digest(run, course)}.safetensors"
    checkpoint = Checkpoint(file, run.context.say)
    curve = train(trainee, epoch_batches, course, checkpoint=checkpoint, progress=run.context.progress)
    checkpoint.remove()
    return curve


def _digest(run: _Run, course: Course) -> str:
    """Return a hash of all that a training depends on."""
    training = run.context.settings.training.model_dump(mode="json")
    fields = [run.name, asdict(course), dict(run.origin.files), run.start.encoder.dimension, training]
    return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()[:16]


def _register(run: _Run, recipe: Recipe, depth: Depth, curve: Curve) -> list[Figure]:
    context, models_uri = run.context, run.context.settings.models.uri
    card = register(
        models_uri,
        run.start.encoder,
        version=version_of(context.run_id, after=run.origin.version),
        recipe=replace(recipe, training=depth),
        run_id=context.run_id,
        training_snapshot=run.name,
        training=_record(context, curve),
        graph=load_model(models_uri, run.backbone.version).graph if depth == "head" else None,
        say=context.say,
    )
    if depth == "head":
        assert run.start.sample is not None
        assert run.start.encoder.projection is not None
        save_projected(context, card.version, run.start.encoder.projection.as_arrays(), run.start.sample)
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
