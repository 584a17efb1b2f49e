"""Train the encoder on the newest snapshot of `training_examples` and register it."""

import math
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from vsearch_lib.config import Settings
from vsearch_lib.encoder.promotion import hold_current
from vsearch_lib.encoder.registry import Recipe, newest, recipe_of
from vsearch_lib.errors import UsageError, VsearchError
from vsearch_lib.job import Figure, Job, main, version_of

if TYPE_CHECKING:
    from vsearch_lib.encoder.network import Encoder
    from vsearch_lib.training.loop import Trained

# Pictures are decoded a little larger than the views cut from them, so that a crop does not blow pixels up.
DECODED_TO_VIEW = 1.25


def run(job: Job) -> list[Figure]:
    """Register a model where there is none of this recipe yet, or where --retrain asks for a new one."""
    settings = job.settings
    recipe = recipe_of(settings)
    if not job.retrain and (card := newest(settings.models.uri, recipe)):
        job.say(f"train_encoder: {card.version} is the model; nothing to train")
        return []
    return _register_new(job, recipe)


def _register_new(job: Job, recipe: Recipe) -> list[Figure]:
    # Seconds of importing, that a night with a model does not wait for.
    from vsearch_lib.encoder.network import untrained
    from vsearch_lib.encoder.registration import register
    from vsearch_lib.encoder.weights import load_initial_weights

    settings = job.settings
    encoder = untrained(recipe.backbone, dimension=recipe.dimension, seed=settings.training.seed)
    if settings.model.weights:
        load_initial_weights(encoder, settings.model.weights)
    elif not settings.training.epochs:
        raise UsageError("training.epochs = 0 leaves the network as it starts: give model.weights, or train it")
    snapshot, trained = None, None
    if settings.training.epochs:
        snapshot = _newest_snapshot(job)
        trained = _train(job, encoder, snapshot, recipe.input_size)
    hold_current(settings.models.uri, recipe, run_id=job.run_id, now=datetime.now(UTC))
    card = register(
        settings.models.uri,
        encoder,
        version=version_of(job.run_id),
        recipe=recipe,
        run_id=job.run_id,
        training_snapshot=snapshot,
        training={} if trained is None else _training_record(settings, trained),
    )
    job.made["model"] = card.version
    if trained is None:
        return []
    return [
        Figure("training_steps", trained.steps),
        Figure("training_loss", trained.first_loss, "first"),
        Figure("training_loss", trained.last_loss, "last"),
    ]


def _newest_snapshot(job: Job) -> str:
    newest_row = job.lake.read("training_examples").agg(F.max("snapshot").alias("snapshot")).first()
    if newest_row is None or newest_row["snapshot"] is None:
        raise VsearchError(f"no snapshot in {job.lake.path('training_examples')}: run build_training_examples first")
    return str(newest_row["snapshot"])


def _train(job: Job, encoder: "Encoder", snapshot: str, side: int) -> "Trained":
    from vsearch_lib.training.loop import train
    from vsearch_lib.training.reader import materialise, read_batches

    settings, training = job.settings, job.settings.training
    examples = job.lake.read("training_examples").where((F.col("snapshot") == snapshot) & (F.col("split") == "train"))
    steps = math.ceil(examples.count() * training.epochs / training.batch_size)
    with tempfile.TemporaryDirectory(prefix="vsearch-training-") as folder:
        width = materialise(examples, job.lake.read("images"), job.lake.read("image_pixels"), Path(folder) / "examples")
        batches = read_batches(
            Path(folder) / "examples",
            width=width,
            side=round(side * DECODED_TO_VIEW),
            batch_size=training.batch_size,
            epochs=training.epochs,
            seed=training.seed,
        )
        return train(
            encoder,
            batches,
            side=side,
            total_steps=steps,
            learning_rate=training.learning_rate,
            temperature=training.temperature,
            seed=training.seed,
            pretrained=settings.model.weights is not None,
            progress=job.progress,
        )


def _training_record(settings: Settings, trained: "Trained") -> dict[str, float]:
    training = settings.training
    return {
        "epochs": training.epochs,
        "batch_size": training.batch_size,
        "learning_rate": training.learning_rate,
        "temperature": training.temperature,
        "seed": training.seed,
        "steps": trained.steps,
        "first_loss": trained.first_loss,
        "last_loss": trained.last_loss,
    }


if __name__ == "__main__":
    main(run)
