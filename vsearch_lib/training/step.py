"""Makes a model: fits a projection of the backbone's features, or trains on the newest training examples."""

from datetime import UTC, datetime

from pyspark.sql import functions as F

from vsearch_lib.context import StepContext
from vsearch_lib.embedding.features import features_model, features_recipe
from vsearch_lib.errors import UsageError, VsearchError
from vsearch_lib.examples.learnable import images_to_learn_from
from vsearch_lib.examples.usable import newest_snapshot, snapshots_by_age
from vsearch_lib.figures import Figure
from vsearch_lib.lake import Lake
from vsearch_lib.lake.eligible import require_images
from vsearch_lib.models.promotion import pin_current_model
from vsearch_lib.models.registry import Card, Recipe, newest, recipe_of
from vsearch_lib.run_ids import version_of
from vsearch_lib.training.depth import choose_depth


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
    if recipe.training in ("none", "head") and recipe.weights == "none":
        raise UsageError(
            f"model.weights = none and training.depth = {recipe.training} would leave the network with random weights: "
            "set training.depth = full, or model.weights"
        )
    require_images(context.lake, settings)
    learning = recipe.training != "none" and _can_learn(context)
    if recipe.training in ("head", "full") and not learning and retrain:
        raise VsearchError(
            "nothing to learn from: all images are private or outside the training split (examples.test_share, "
            "examples.validation_share), or too few are unrelated (examples.candidates); run retrain with more"
        )
    # These imports take seconds: a night that has a model does not wait for them.
    import torch

    from vsearch_lib.models.weights import initial_encoder
    from vsearch_lib.training.projected import make_projected
    from vsearch_lib.training.trained import make_trained

    training = settings.training
    encoder = initial_encoder(recipe, settings.model.weights, seed=training.seed)
    backbone = features_model(settings.models.uri, recipe) or _register_backbone(context, features_recipe(recipe))
    pin_current_model(settings, run_id=context.run_id, now=datetime.now(UTC))
    snapshot = newest_snapshot(context.lake) if learning else None
    depth, reason = choose_depth(
        recipe.training,
        pairs=count_pairs(context.lake, snapshot) if snapshot and recipe.training == "auto" else 0,
        min_pairs=training.min_pairs,
        has_gpu=torch.cuda.is_available(),
    )
    if recipe.training == "auto":
        context.say(f"train_encoder: training.depth is {depth}: {reason}")
    if snapshot is None or depth == "none":
        return make_projected(context, encoder, recipe, backbone)
    return make_trained(context, encoder, recipe, backbone, snapshot, depth)


def _can_learn(context: StepContext) -> bool:
    """Return whether there are examples, and images that they may be about."""
    return bool(snapshots_by_age(context.lake)) and not images_to_learn_from(context.lake, context.settings).isEmpty()


def count_pairs(lake: Lake, snapshot: str) -> int:
    """Return how many judged or clicked pairs a snapshot has to learn from."""
    examples = lake.read("training_examples").where(F.col("snapshot") == snapshot)
    return examples.where("split = 'train' AND source != 'augmentation' AND coalesce(negative_set, 0) = 0").count()


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
