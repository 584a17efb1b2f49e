"""What a training starts from: the initial weights that are configured, or the weights of the model in use."""

from dataclasses import dataclass

from vsearch_lib.config import Settings
from vsearch_lib.context import StepContext
from vsearch_lib.embedding.projected import Sample, fit_projection, sample_features
from vsearch_lib.encoder.network import Encoder
from vsearch_lib.errors import UsageError
from vsearch_lib.models.promotion import find_current_model
from vsearch_lib.models.registry import Card, Recipe
from vsearch_lib.models.weights import load_encoder
from vsearch_lib.training.depth import Depth

_SHARED = ("backbone", "weights", "dimension", "input_size")  # fields of a recipe without which weights do not fit


@dataclass(frozen=True)
class Start:
    """A network before its training.

    Attributes:
        encoder: has the weights. If they are not random, so is its projection: the parent's, or principal axes.
        parent: the model that has these weights; None if they are those of `model.weights`.
        sample: of the catalogue, with features of this backbone, on which a head is trained; None if the backbone is
            not the frozen one: it has random weights, or was trained.
    """

    encoder: Encoder
    parent: Card | None
    sample: Sample | None

    @property
    def is_usable(self) -> bool:
        """Whether the network is of use before the training."""
        return self.parent is not None or self.sample is not None


def choose_start(context: StepContext, encoder: Encoder, recipe: Recipe, backbone: Card, depth: Depth) -> Start:
    """Return what a training of `depth` starts from, by the setting `training.start`.

    Args:
        context: of the step.
        encoder: has the initial weights.
        recipe: the configured one.
        backbone: the card of the backbone with the initial weights.
        depth: what is trained.

    Raises:
        UsageError: the model in use is of another recipe, or its backbone is not the frozen one that a head needs.
        ArtefactError: its weights are missing, or differ from its card.
        GateRefused: more than `quality.max_refused_share` of the sample cannot be embedded.
    """
    seed = context.settings.training.seed
    parent = _parent(context.settings, recipe, depth)
    if parent is not None:
        context.say(f"train_encoder: the training starts from the weights of {parent.version}, the model in use")
        is_frozen = parent.recipe.training != "full"
        sample = sample_features(context, backbone, seed=seed) if is_frozen else None
        return Start(load_encoder(context.settings.models.uri, parent), parent, sample)
    if recipe.weights == "none":
        return Start(encoder, None, None)
    sample = sample_features(context, backbone, seed=seed)
    assert encoder.projection is not None  # every recipe except the backbone's has a dimension
    encoder.projection.set_to(fit_projection(sample, dimension=encoder.dimension, seed=seed).projection)
    return Start(encoder, None, sample)


def _parent(settings: Settings, recipe: Recipe, depth: Depth) -> Card | None:
    """Return the model whose weights are trained further; None for those of `model.weights`, as of a first model."""
    if settings.training.start == "model_weights":
        return None
    parent = find_current_model(settings)
    if parent is None:
        return None
    advice = "or training.start = model_weights"
    others = [f"model.{name}" for name in _SHARED if getattr(parent.recipe, name) != getattr(recipe, name)]
    if others:
        raise UsageError(
            f"training.start = model_in_use: {parent.version} was made with another {' and another '.join(others)}; "
            f"set what its card says, {advice}"
        )
    if parent.recipe.training == "full" and depth == "head":
        raise UsageError(
            f"training.start = model_in_use: the backbone of {parent.version} was trained, and a head needs the one "
            f"before any training; set training.depth = full, {advice}"
        )
    return parent
