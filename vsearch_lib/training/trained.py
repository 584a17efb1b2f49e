"""Makes a model by training: the projection of a frozen backbone, or the whole network."""

import hashlib
import json
from dataclasses import asdict, dataclass, replace

import torch

from vsearch_lib.config.settings import Training
from vsearch_lib.context import StepContext
from vsearch_lib.embedding.projected import save_projected
from vsearch_lib.encoder.network import Encoder
from vsearch_lib.figures import Figure
from vsearch_lib.lake.training_snapshots import training_snapshots_uri
from vsearch_lib.models.load import load_model
from vsearch_lib.models.promotion import version_in_use
from vsearch_lib.models.registration import register
from vsearch_lib.models.registry import Card, Recipe, newest
from vsearch_lib.models.tracking import track_training
from vsearch_lib.run_ids import version_of
from vsearch_lib.training.curve import Curve
from vsearch_lib.training.depth import Depth
from vsearch_lib.training.distributed import do_together
from vsearch_lib.training.head import Head
from vsearch_lib.training.prepared import Prepared, prepared
from vsearch_lib.training.validation import recall_of_each_query
from vsearch_lib.training.whole import encoded
from vsearch_lib.training.work import Work, do, encoder_with, forget


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
    if _learnt_nothing(run, trained) and newest(context.settings.models.uri, recipe):
        context.say(
            f"train_encoder: after {_epochs(trained.curve)} of training the recall on validation images is not surely "
            "higher than before: nothing was learnt, and no new model is registered; score more pairs (vsearch label "
            "next), or set training.depth = none, which fits the projection to the pictures of today"
        )
        return []
    return _register(run, recipe, trained)


def _learnt_nothing(run: Prepared, trained: Trained) -> bool:
    """Return whether the weights are those before the training; a whole network starts from a trained head."""
    if not run.start.is_usable or trained.curve.best > 0:
        return False
    before, after = run.start.encoder.projection, trained.encoder.projection
    assert before is not None
    assert after is not None
    return torch.equal(before.axes, after.axes)


def train_once(run: Prepared, training: Training) -> Trained:
    """Train a copy of the encoder with these settings, going on if an earlier run of the same was interrupted.

    Raises:
        VsearchError: the training came to nothing.
    """
    context, snapshots_uri = run.context, training_snapshots_uri(run.context.lake)
    work = Work(
        run.start.encoder.backbone_name,
        run.start.encoder.dimension,
        run.start.encoder.preprocessing,
        training,
        run.depth,
        run.start.is_usable,
        checkpoints_uri=f"{snapshots_uri}/{run.name}/checkpoints",
        digest=_digest(run, training),
    )
    if training.processes == 1:
        encoder, curve = do(work, run.material, run.snapshot, say=context.say, progress=context.progress)
    else:
        weights, curve = do_together(
            context.spark,
            work,
            run.material,
            snapshots_uri,
            run.name,
            processes=training.processes,
            say=context.say,
        )
        encoder = encoder_with(weights, work)
    forget(work)
    return Trained(encoder, curve)


def validation_recalls(run: Prepared, encoder: Encoder) -> list[float]:
    """Return the recall of each query of the validation with a trained `encoder`; their mean is that of its epoch."""
    if run.depth == "head":
        assert encoder.projection is not None
        with torch.inference_mode():
            vectors = Head(encoder.projection)(torch.from_numpy(run.material.validation_features)).numpy()
    else:
        vectors = encoded(encoder, run.material.validation_jpegs)
    recalls: list[float] = recall_of_each_query(vectors, run.validation.relevant).tolist()
    return recalls


def _digest(run: Prepared, training: Training) -> str:
    """Return a hash of all that a training depends on."""
    settings = training.model_dump(mode="json")
    start = hashlib.sha256(run.material.start).hexdigest()
    fields = [run.name, run.depth, start, settings]
    return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()[:16]


def _register(run: Prepared, recipe: Recipe, trained: Trained) -> list[Figure]:
    context, depth, curve = run.context, run.depth, trained.curve
    models_uri = context.settings.models.uri
    card = register(
        models_uri,
        trained.encoder,
        version=version_of(context.run_id, after=run.origin.version),
        recipe=replace(recipe, training=depth),
        run_id=context.run_id,
        training_snapshot=run.name,
        training=_record(context, curve),
        parent=version_in_use(context.settings),
        graph=load_model(models_uri, run.backbone.version).graph if depth == "head" else None,
        say=context.say,
    )
    if depth == "head":
        assert run.start.sample is not None
        assert trained.encoder.projection is not None
        save_projected(context, card.version, trained.encoder.projection.as_arrays(), run.start.sample)
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
        return (
            f"after {epochs} of training the recall on validation images is not surely higher than before; it has the "
            "weights from before"
        )
    before = "" if curve.recall_at_start is None else f", {curve.recall_at_start:.3f} before"
    return f"trained for {epochs}; recall on validation images {curve.best_recall:.3f}{before}, best after {curve.best}"


def _epochs(curve: Curve) -> str:
    return f"{len(curve.epochs)} epoch{'' if len(curve.epochs) == 1 else 's'}"


def _record(context: StepContext, curve: Curve) -> dict[str, object]:
    """Return what the card says about the training."""
    training = context.settings.training.model_dump(mode="json", exclude={"depth", "min_pairs"})
    losses = {"first_loss": curve.epochs[0].loss, "last_loss": curve.epochs[-1].loss} if curve.epochs else {}
    return {**training, **losses, "best_epoch": curve.best, "curve": asdict(curve)}
