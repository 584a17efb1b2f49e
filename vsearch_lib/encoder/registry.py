"""The model registry: `<models.uri>/<version>/model.safetensors` and `card.json`, immutable, checked by hash."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load, save

from vsearch_lib.config import Settings
from vsearch_lib.config.settings import Backbone
from vsearch_lib.encoder.backbones import INPUT_SIZES
from vsearch_lib.encoder.network import Encoder
from vsearch_lib.errors import ArtefactError, UsageError
from vsearch_lib.storage import Store, local_path, open_store

WEIGHTS = "model.safetensors"
CARD = "card.json"


@dataclass(frozen=True)
class Recipe:
    """What makes two models the same kind: a nightly run goes on with the newest model of the configured recipe."""

    backbone: Backbone
    dimension: int | None  # of the projection; None where the pooled features are the vector
    input_size: int
    initial_weights_sha256: str | None


@dataclass(frozen=True)
class Card:
    """A model's record: recipe, hash of its weights, where it came from, and how its training went."""

    version: str
    recipe: Recipe
    weights_sha256: str
    training_snapshot: str | None
    run_id: str
    training: Mapping[str, float]


@dataclass(frozen=True)
class Model:
    """A loaded model: its card and the encoder in evaluation mode."""

    card: Card
    encoder: Encoder


def recipe_of(settings: Settings) -> Recipe:
    """Return the recipe that the settings describe; without training there is no projection to learn."""
    weights = settings.model.weights
    return Recipe(
        backbone=settings.model.backbone,
        dimension=settings.model.dimension if settings.training.epochs else None,
        input_size=settings.model.input_size or INPUT_SIZES[settings.model.backbone],
        initial_weights_sha256=hashlib.sha256(_read_weights(weights)).hexdigest() if weights else None,
    )


def load_initial_weights(encoder: Encoder, weights: str) -> None:
    """Load a backbone's safetensors file into `encoder`; the file's classifier, if any, is left out.

    Raises:
        UsageError: the file is not there, is not safetensors, or is of another architecture.
    """
    try:
        state = load(_read_weights(weights))
        found = {name: value for name, value in state.items() if name in encoder.backbone.state_dict()}
        encoder.backbone.load_state_dict(found, strict=True)
    except (SafetensorError, RuntimeError) as error:
        line = str(error).splitlines()[0]
        raise UsageError(f"model.weights = {weights}: does not fit model.backbone ({line})") from None


def save_model(models_uri: str, encoder: Encoder, card: Card) -> None:
    """Write weights, then card: a model without a card does not exist."""
    store = open_store(models_uri)
    store.write_new(f"{card.version}/{WEIGHTS}", serialise(encoder))
    store.write_new(f"{card.version}/{CARD}", json.dumps(asdict(card), indent=2, sort_keys=True).encode())


def serialise(encoder: Encoder) -> bytes:
    """Return the encoder's weights as safetensors bytes."""
    return bytes(save({name: value.contiguous() for name, value in encoder.state_dict().items()}))


def newest(models_uri: str, recipe: Recipe) -> Card | None:
    """Return the card of the newest model of `recipe`, None where there is none. Versions sort by time."""
    store = open_store(models_uri)
    versions = sorted((key.split("/")[0] for key in store.list("") if key.endswith(f"/{CARD}")), reverse=True)
    for version in versions:
        card = read_card(store, version)
        if card.recipe == recipe:
            return card
    return None


def current_model(settings: Settings) -> Card:
    """Return the card of the model that a run works with: the newest of the configured recipe.

    Raises:
        ArtefactError: there is none.
    """
    recipe = recipe_of(settings)
    card = newest(settings.models.uri, recipe)
    if card is None:
        raise ArtefactError(
            f"no {recipe.backbone} model of this configuration in {settings.models.uri}: run train_encoder"
        )
    return card


def read_card(store: Store, version: str) -> Card:
    """Return the card of `version`.

    Raises:
        ArtefactError: there is none, or it is not a card.
    """
    try:
        content: dict[str, Any] = json.loads(store.read(f"{version}/{CARD}"))
        return Card(**{**content, "recipe": Recipe(**content["recipe"])})
    except (ValueError, TypeError, KeyError) as error:
        raise ArtefactError(f"{store.uri}/{version}/{CARD} is not a model card: {error}") from None


def load_model(models_uri: str, version: str) -> Model:
    """Load a model after checking its weights against its card.

    Raises:
        ArtefactError: a file is missing, or weights and card disagree.
    """
    store = open_store(models_uri)
    card = read_card(store, version)
    content = store.read(f"{version}/{WEIGHTS}")
    if hashlib.sha256(content).hexdigest() != card.weights_sha256:
        raise ArtefactError(f"{models_uri}/{version}/{WEIGHTS} is not what its card says (sha256 differs): restore it")
    encoder = Encoder(card.recipe.backbone, dimension=card.recipe.dimension)
    try:
        encoder.load_state_dict(load(content))
    except (SafetensorError, RuntimeError) as error:
        raise ArtefactError(
            f"{models_uri}/{version}: weights do not fit the card: {str(error).splitlines()[0]}"
        ) from None
    return Model(card, encoder.eval())


def _read_weights(weights: str) -> bytes:
    path = local_path(weights)
    if path is None:
        folder, _, name = weights.rpartition("/")
        return open_store(folder).read(name)
    if not path.is_file():
        raise UsageError(f"model.weights = {weights}: no such file; give a safetensors file of the backbone, or null")
    return path.read_bytes()
