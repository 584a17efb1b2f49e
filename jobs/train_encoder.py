"""Train the encoder on the newest snapshot of `training_examples` and register it."""

import hashlib
import math
import tempfile
from pathlib import Path

from pyspark.sql import functions as F

from vsearch_lib.config import Settings
from vsearch_lib.encoder.network import Encoder, untrained
from vsearch_lib.encoder.registry import Card, load_initial_weights, newest, recipe_of, save_model, serialise
from vsearch_lib.errors import UsageError, VsearchError
from vsearch_lib.job import Figure, Job, main, version_of
from vsearch_lib.training.loop import Trained, train
from vsearch_lib.training.reader import materialise, read_batches

# Pictures are decoded a little larger than the views cut from them, so that a crop does not blow pixels up.
DECODED_TO_VIEW = 1.25


def run(job: Job) -> list[Figure]:
    """Register a model where there is none of this recipe yet, or where --retrain asks for a new one."""
    settings = job.settings
    recipe = recipe_of(settings)
    if not job.retrain and (card := newest(settings.models.uri, recipe)):
        job.say(f"train_encoder: {card.version} is the model; nothing to train")
        return []
    encoder = untrained(recipe.backbone, dimension=recipe.dimension, seed=settings.training.seed)
    if settings.model.weights:
        load_initial_weights(encoder, settings.model.weights)
    elif not settings.training.epochs:
        raise UsageError("training.epochs = 0 leaves the network as it starts: give model.weights, or train it")
    snapshot, trained = None, None
    if settings.training.epochs:
        snapshot = _newest_snapshot(job)
        trained = _train(job, encoder, snapshot, recipe.input_size)
    weights_sha256 = hashlib.sha256(serialise(encoder)).hexdigest()
    card = Card(
        version=f"{version_of(job.run_id)}-{weights_sha256[:8]}",
        recipe=recipe,
        weights_sha256=weights_sha256,
        training_snapshot=snapshot,
        run_id=job.run_id,
        training={} if trained is None else _training_record(settings, trained),
    )
    save_model(settings.models.uri, encoder, card)
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


def _train(job: Job, encoder: Encoder, snapshot: str, side: int) -> Trained:
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


def _training_record(settings: Settings, trained: Trained) -> dict[str, float]:
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
