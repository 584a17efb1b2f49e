"""Chooses what the encoder learns from: writes one snapshot of `training_examples`."""

import hashlib
from datetime import UTC, datetime

from pyspark.sql import functions as F

from vsearch_lib.context import StepContext
from vsearch_lib.examples.augmented import augmentation_examples
from vsearch_lib.examples.learnable import images_to_learn_from
from vsearch_lib.examples.pixels import with_pixels
from vsearch_lib.figures import Figure
from vsearch_lib.lake.eligible import require_images
from vsearch_lib.models.registry import newest, recipe_of


def build_training_examples(context: StepContext, *, retrain: bool = False) -> list[Figure]:
    """Write a snapshot if a model will be trained: if this recipe has none yet, or --retrain asks for one.

    Nothing is written if there is no image to learn from: `train_encoder` handles that case.

    Raises:
        VsearchError: the lake has no image.
    """
    settings = context.settings
    if not settings.training.epochs:
        return []
    if not retrain and newest(settings.models.uri, recipe_of(settings)):
        return []
    chosen = settings.examples
    require_images(context.lake, settings)
    images = images_to_learn_from(context.lake, settings)
    version = context.lake.version("images")
    if version is None or images.isEmpty():
        return []
    grouping = context.lake.version("near_duplicates")
    made_from = hashlib.sha256(f"{version} {grouping} {chosen.model_dump_json()}".encode()).hexdigest()[:8]
    snapshot = f"v{version:09d}-{made_from}"
    examples = augmentation_examples(images, candidates=chosen.candidates, seed=chosen.candidates_seed)
    rows = with_pixels(examples, images).withColumns(
        {"snapshot": F.lit(snapshot), "split": F.lit("train"), "made_at": F.lit(datetime.now(UTC))}
    )
    context.lake.replace("training_examples", rows, f"snapshot = '{snapshot}'")
    written = context.lake.read("training_examples").where(F.col("snapshot") == snapshot).count()
    return [Figure("training_examples", written)]
