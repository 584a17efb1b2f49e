"""The model registry: `<models.uri>/<version>/` holds `card.json` and the immutable files whose hashes it lists.

`model.safetensors` is the trained network; `graph.xml` and `graph.bin` are its backbone in the form that `Embedder`
runs, and `projection.safetensors` is the projection after the backbone.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from vsearch_lib.config import Settings
from vsearch_lib.encoder.packaged import packaged_sha256
from vsearch_lib.encoder.preprocessing import Preprocessing
from vsearch_lib.errors import ArtefactError, UsageError
from vsearch_lib.storage import Store, local_path, open_store

WEIGHTS = "model.safetensors"
GRAPH = ("graph.xml", "graph.bin")
PROJECTION = "projection.safetensors"
CARD = "card.json"

# For cards without preprocessing, from an older release: the side, and the mean and std, of its four backbones.
_OLD_SIDES = {"small": 64, "mobilenet_v2": 224, "resnet18": 224, "resnet50": 224}
_OLD_CENTRED = ("small", "mobilenet_v2")


@dataclass(frozen=True)
class Recipe:
    """What two models of the same kind share: a nightly run continues to use a model of the configured recipe.

    `weights` are the initial weights: "none", "hub", or the sha256 of a file. `dimension` is None if the vectors are
    the backbone's features. `input_size` is None for the backbone's own size. `training` is how much was trained:
    "none" if the projection was fitted to the catalogue's features, "head" if only the projection was trained, "full".
    A configured recipe may say "auto", which a card never does: any depth will do.
    """

    backbone: str
    weights: str
    dimension: int | None
    input_size: int | None
    training: Literal["auto", "none", "head", "full"]

    def fits(self, configured: "Recipe") -> bool:
        """Return whether a model of this recipe is one of the configured recipe."""
        return configured in (self, replace(self, training="auto"))


@dataclass(frozen=True)
class Card:
    """A model's record; its figures are in the table `metrics`, because a card never changes.

    Attributes:
        dimension: length of its vectors.
        files: name → sha256.
        training: the settings of its training, its curve, and what came out.
        parent: version of the model that was in use when this one was made; None for the first one.
        code_version: of the code that made it; None on cards that are older than this field, like `parent`.
    """

    version: str
    recipe: Recipe
    preprocessing: Preprocessing
    dimension: int
    files: Mapping[str, str]
    training_snapshot: str | None
    run_id: str
    training: Mapping[str, Any] = field(default_factory=dict)
    parent: str | None = None
    code_version: str | None = None


def recipe_of(settings: Settings) -> Recipe:
    """Return the recipe that the settings describe.

    Raises:
        UsageError: `model.weights` is a file that does not exist, or the backbone has no packaged weights.
    """
    model = settings.model
    if model.weights == "packaged":
        weights = packaged_sha256(model.backbone)
    elif model.weights in ("hub", "none"):
        weights = model.weights
    else:
        weights = hashlib.sha256(read_initial_weights(model.weights)).hexdigest()
    return Recipe(
        backbone=model.backbone,
        weights=weights,
        dimension=model.dimension,
        input_size=model.input_size,
        training="full" if settings.training.depth == "auto" and weights == "none" else settings.training.depth,
    )


def read_initial_weights(weights: str) -> bytes:
    """Return the bytes of the file that the setting `model.weights` names.

    Raises:
        UsageError: there is no such file.
    """
    path = local_path(weights)
    try:
        if path is None:
            folder, _, name = weights.rpartition("/")
            return open_store(folder).read(name)
        return path.read_bytes()
    except (OSError, ArtefactError):
        raise UsageError(
            f"model.weights = {weights}: no file that can be read; give packaged, hub, none, or a safetensors file of "
            "the backbone"
        ) from None


def cards(models_uri: str) -> Iterator[Card]:
    """Yield the cards of all models, the newest first. Versions sort by time."""
    store = open_store(models_uri)
    versions = sorted((key.split("/")[0] for key in store.list("") if key.endswith(f"/{CARD}")), reverse=True)
    return (read_card(store, version) for version in versions)


def newest(models_uri: str, recipe: Recipe) -> Card | None:
    """Return the card of the newest model that fits the configured `recipe`, None if there is none."""
    return next((card for card in cards(models_uri) if card.recipe.fits(recipe)), None)


def encoder_cards(models_uri: str) -> list[Card]:
    """Return the models that a night can use, newest first: not the bare backbones, from which others are made."""
    return [card for card in cards(models_uri) if card.recipe.dimension is not None]


def encoder_card(models_uri: str, version: str) -> Card:
    """Return the card of a model that a night can use.

    Raises:
        UsageError: there is no such model; the message lists those that there are.
    """
    known = {card.version: card for card in encoder_cards(models_uri)}
    if version not in known:
        raise UsageError(f"{models_uri} has no model {version}; it has {', '.join(known) or 'no model at all'}")
    return known[version]


def has_same_network(card: Card, other: Card) -> bool:
    """Return whether two models have equal weights and take the same pictures, so that their vectors are the same."""
    return card.files[WEIGHTS] == other.files[WEIGHTS] and card.preprocessing == other.preprocessing


def read_card(store: Store, version: str) -> Card:
    """Return the card of `version`.

    Raises:
        ArtefactError: the card is missing or invalid.
    """
    try:
        content: dict[str, Any] = json.loads(store.read(f"{version}/{CARD}"))
        fields = content if "preprocessing" in content else _with_preprocessing(content)
        pixels = fields["preprocessing"]
        preprocessing = Preprocessing(**{**pixels, "mean": tuple(pixels["mean"]), "std": tuple(pixels["std"])})
        return Card(**{**fields, "recipe": Recipe(**fields["recipe"]), "preprocessing": preprocessing})
    except (ValueError, TypeError, KeyError) as error:
        raise ArtefactError(f"{store.uri}/{version}/{CARD} is not a model card: {error}") from None


def _with_preprocessing(old: dict[str, Any]) -> dict[str, Any]:
    """Return the current form of an old card without preprocessing, which the served index may still name."""
    recipe = old["recipe"]
    backbone, dimension = recipe["backbone"], recipe["dimension"]
    centred = backbone in _OLD_CENTRED
    return {
        **old,
        "recipe": {
            "backbone": backbone,
            "weights": recipe["initial_weights_sha256"] or "none",
            "dimension": dimension,
            "input_size": recipe["input_size"],
            "training": "full" if dimension else "none",
        },
        "preprocessing": {
            "side": recipe["input_size"] or _OLD_SIDES[backbone],
            "mean": (0.5, 0.5, 0.5) if centred else (0.485, 0.456, 0.406),
            "std": (0.5, 0.5, 0.5) if centred else (0.229, 0.224, 0.225),
        },
    }


def read_file(store: Store, card: Card, name: str) -> bytes:
    """Return a file of a model.

    Raises:
        ArtefactError: the file is missing, or differs from the sha256 on the card.
    """
    content = store.read(f"{card.version}/{name}")
    if hashlib.sha256(content).hexdigest() != card.files.get(name):
        raise ArtefactError(f"{store.uri}/{card.version}/{name} is not what its card says (sha256 differs): restore it")
    return content
