"""Makes a model: fits a projection of the backbone's features, or trains on the newest training examples."""

import math
import tempfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from vsearch_lib.config import Settings
from vsearch_lib.context import StepContext
from vsearch_lib.embedding.features import features_model, features_recipe
from vsearch_lib.embedding.projected import fit_projection, save_projected
from vsearch_lib.errors import UsageError, VsearchError
from vsearch_lib.examples.learnable import images_to_learn_from
from vsearch_lib.examples.usable import newest_snapshot, require_learnable, snapshots_by_age
from vsearch_lib.figures import Figure
from vsearch_lib.lake.eligible import require_images
from vsearch_lib.lake.training_snapshots import training_snapshots_uri
from vsearch_lib.models.load import load_model
from vsearch_lib.models.promotion import pin_current_model
from vsearch_lib.models.registry import Card, Recipe, newest, recipe_of
from vsearch_lib.run_ids import version_of

if TYPE_CHECKING:
    from vsearch_lib.encoder.network import Encoder
    from vsearch_lib.training.loop import Trained

# Pictures are decoded a little larger than the views cut from them, so that a crop does not blow pixels up.
DECODED_TO_VIEW = 1.25


def train_encoder(context: StepContext, *, retrain: bool = False) -> list[Figure]:
    """Register a model if this recipe has none yet, or if --retrain asks for a new one.

    If a first night has no image to learn from, it projects the backbone's features instead, so that there is an index.

    Raises:
        UsageError: the settings ask for neither weights nor training.
        VsearchError: the lake has no image, or --retrain asks for training and there is nothing to learn from.
    """
    settings = context.settings
    recipe = recipe_of(settings)
    if not retrain and (card := newest(settings.models.uri, recipe)):
        context.say(f"train_encoder: {card.version} is of the configured recipe; nothing to train")
        return []
    if recipe.training == "none" and recipe.weights == "none":
        raise UsageError(
            "model.weights = none and training.epochs = 0 would leave the network with random weights: give "
            "training.epochs above 0, or model.weights"
        )
    require_images(context.lake, settings)
    learning = recipe.training != "none" and _can_learn(context)
    if recipe.training != "none" and not learning and retrain:
        raise VsearchError(
            "nothing to learn from: all images are private or outside the training split (examples.test_share, "
            "examples.validation_share), or too few are unrelated (examples.candidates); run retrain with more"
        )
    # This import takes seconds: a night that has a model does not wait for it.
    from vsearch_lib.models.weights import initial_encoder

    encoder = initial_encoder(recipe, settings.model.weights, seed=settings.training.seed)
    backbone = features_model(settings.models.uri, recipe) or _register_backbone(context, features_recipe(recipe))
    pin_current_model(settings, run_id=context.run_id, now=datetime.now(UTC))
    if not learning:
        return _projected(context, encoder, recipe, backbone)
    return _trained(context, encoder, recipe, backbone)


def _can_learn(context: StepContext) -> bool:
    """Return whether there are examples, and images that they may be about."""
    return bool(snapshots_by_age(context.lake)) and not images_to_learn_from(context.lake, context.settings).isEmpty()


def _register_backbone(context: StepContext, recipe: Recipe) -> Card:
    """Register the backbone, as it is before any training, as a model of its own."""
    from vsearch_lib.models.registration import register
    from vsearch_lib.models.weights import initial_encoder

    settings = context.settings
    encoder = initial_encoder(recipe, settings.model.weights, seed=settings.training.seed)
    version = version_of(context.run_id)
    return register(
        settings.models.uri, encoder, version=version, recipe=recipe, run_id=context.run_id, say=context.say
    )


def _projected(context: StepContext, encoder: "Encoder", recipe: Recipe, backbone: Card) -> list[Figure]:
    from vsearch_lib.models.registration import register

    models_uri, seed = context.settings.models.uri, context.settings.training.seed
    fitted = fit_projection(context, backbone, dimension=encoder.dimension, seed=seed)
    assert encoder.projection is not None  # every recipe except the backbone's has a dimension
    encoder.projection.set_to(fitted.projection)
    card = register(
        models_uri,
        encoder,
        version=version_of(context.run_id, after=backbone.version),
        recipe=recipe,
        run_id=context.run_id,
        training={"pictures": fitted.pictures, "variance_kept": round(fitted.variance_kept, 4), "seed": seed},
        graph=load_model(models_uri, backbone.version).graph,
        say=context.say,
    )
    save_projected(context, card.version, fitted)
    context.made["model"] = card.version
    pictures = f"{fitted.pictures} picture{'' if fitted.pictures == 1 else 's'}"
    if not fitted.pictures:
        about = "drawn at random, because no public image is in the training split: run retrain once there are more"
    elif fitted.pictures < encoder.dimension:
        about = f"chosen from {pictures}, too few to choose well: run retrain once there are more"
    else:
        about = f"that keep {fitted.variance_kept:.0%} of the variance of {pictures}"
    context.say(
        f"train_encoder: {card.version} is {recipe.backbone}, not trained, projected to {encoder.dimension} "
        f"dimensions {about}"
    )
    return [
        Figure("projection_pictures", fitted.pictures, subject=f"model {card.version}"),
        Figure("projection_variance_kept", fitted.variance_kept, subject=f"model {card.version}", n=fitted.pictures),
    ]


def _trained(context: StepContext, encoder: "Encoder", recipe: Recipe, backbone: Card) -> list[Figure]:
    from vsearch_lib.models.registration import register

    snapshot = newest_snapshot(context.lake)
    trained = _train(context, encoder, snapshot)
    card = register(
        context.settings.models.uri,
        encoder,
        version=version_of(context.run_id, after=backbone.version),
        recipe=recipe,
        run_id=context.run_id,
        training_snapshot=snapshot,
        training=_training_record(context.settings, trained),
        say=context.say,
    )
    context.made["model"] = card.version
    return [
        Figure("training_steps", trained.steps, subject=f"model {card.version}"),
        Figure("training_loss", trained.first_loss, subject=f"model {card.version}", slice="first"),
        Figure("training_loss", trained.last_loss, subject=f"model {card.version}", slice="last"),
    ]


def _train(context: StepContext, encoder: "Encoder", snapshot: str) -> "Trained":
    from vsearch_lib.training.local_snapshot import open_snapshot
    from vsearch_lib.training.loop import train
    from vsearch_lib.training.reader import read_batches

    settings, training = context.settings, context.settings.training
    views = encoder.preprocessing
    decoded = replace(views, side=round(views.side * DECODED_TO_VIEW))
    examples = context.lake.read("training_examples").where(
        (F.col("snapshot") == snapshot) & (F.col("split") == "train")
    )
    require_learnable(snapshot, examples, images_to_learn_from(context.lake, settings))
    with tempfile.TemporaryDirectory(prefix="vsearch-training-") as folder:
        local = open_snapshot(training_snapshots_uri(context.lake), snapshot, Path(folder))
        steps = training.epochs * math.ceil(local.rows / training.batch_size)
        batches = read_batches(
            local,
            preprocessing=decoded,
            batch_size=training.batch_size,
            epochs=training.epochs,
            seed=training.seed,
        )
        return train(
            encoder,
            batches,
            side=views.side,
            boxes=local.boxes,
            total_steps=steps,
            learning_rate=training.learning_rate,
            temperature=training.temperature,
            seed=training.seed,
            pretrained=settings.model.weights != "none",
            progress=context.progress,
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
