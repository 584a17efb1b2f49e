"""The model registry: `<models.uri>/<version>/` holds `card.json` and the files that it names, immutable, each by hash.

`model.safetensors` is the network as it was trained; `graph.xml` and `graph.bin` are the same as `Embedder` runs it.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from vsearch_lib.config import Settings
from vsearch_lib.config.settings import Backbone
from vsearch_lib.encoder.embed import Embedder, Graph
from vsearch_lib.errors import ArtefactError, UsageError
from vsearch_lib.storage import Store, local_path, open_store

WEIGHTS = "model.safetensors"
GRAPH = ("graph.xml", "graph.bin")
CARD = "card.json"

# Side of the square that each backbone was made for, in pixels.
INPUT_SIZES: dict[Backbone, int] = {"small": 64, "mobilenet_v2": 224, "resnet18": 224, "resnet50": 224}


@dataclass(frozen=True)
class Recipe:
    """What makes two models the same kind: a nightly run goes on with the newest model of the configured recipe."""

    backbone: Backbone
    dimension: int | None  # of the projection; None where the pooled features are the vector
    input_size: int
    initial_weights_sha256: str | None


@dataclass(frozen=True)
class Card:
    """A model's record: recipe, length of its vectors, hashes of its files, and how its training went."""

    version: str
    recipe: Recipe
    dimension: int
    files: Mapping[str, str]  # name → sha256
    training_snapshot: str | None
    run_id: str
    training: Mapping[str, float]


@dataclass(frozen=True)
class Model:
    """A model as it embeds: its card, and its network, whose hash was checked."""

    card: Card
    graph: Graph

    def embedder(self, *, batch_size: int, threads: int | None = None) -> Embedder:
        """Return the network ready to embed."""
        return Embedder(self.graph, batch_size=batch_size, threads=threads)


def recipe_of(settings: Settings) -> Recipe:
    """Return the recipe that the settings describe; without training there is no projection to learn."""
    weights = settings.model.weights
    return Recipe(
        backbone=settings.model.backbone,
        dimension=settings.model.dimension if settings.training.epochs else None,
        input_size=settings.model.input_size or INPUT_SIZES[settings.model.backbone],
        initial_weights_sha256=hashlib.sha256(read_initial_weights(weights)).hexdigest() if weights else None,
    )


def read_initial_weights(weights: str) -> bytes:
    """Return the bytes of the setting `model.weights`.

    Raises:
        UsageError: there is no such file.
    """
    path = local_path(weights)
    if path is None:
        folder, _, name = weights.rpartition("/")
        return open_store(folder).read(name)
    if not path.is_file():
        raise UsageError(f"model.weights = {weights}: no such file; give a safetensors file of the backbone, or null")
    return path.read_bytes()


def cards(models_uri: str, recipe: Recipe) -> Iterator[Card]:
    """Yield the cards of the models of `recipe`, the newest first. Versions sort by time."""
    store = open_store(models_uri)
    versions = sorted((key.split("/")[0] for key in store.list("") if key.endswith(f"/{CARD}")), reverse=True)
    return (card for version in versions if (card := read_card(store, version)).recipe == recipe)


def newest(models_uri: str, recipe: Recipe) -> Card | None:
    """Return the card of the newest model of `recipe`, None where there is none."""
    return next(cards(models_uri, recipe), None)


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


def read_file(store: Store, card: Card, name: str) -> bytes:
    """Return a file of a model.

    Raises:
        ArtefactError: it is missing, or is not what the card says.
    """
    content = store.read(f"{card.version}/{name}")
    if hashlib.sha256(content).hexdigest() != card.files.get(name):
        raise ArtefactError(f"{store.uri}/{card.version}/{name} is not what its card says (sha256 differs): restore it")
    return content


def load_model(models_uri: str, version: str) -> Model:
    """Load a model as it embeds.

    Raises:
        ArtefactError: a file is missing or is not what the card says, or the graph's vectors are not.
    """
    store = open_store(models_uri)
    card = read_card(store, version)
    model = Model(card, Graph(*(read_file(store, card, name) for name in GRAPH)))
    if model.graph.dimension != card.dimension:
        raise ArtefactError(
            f"{models_uri}/{version}: its card says vectors of {card.dimension} numbers, its graph makes "
            f"{model.graph.dimension}: restore both"
        )
    return model


def check_unchanged(models_uri: str, card: Card) -> None:
    """Make sure that the model is still the one that was loaded.

    Raises:
        ArtefactError: the card or a file that embeds is another, or gone.
    """
    store = open_store(models_uri)
    if read_card(store, card.version) != card:
        raise ArtefactError(f"{models_uri}/{card.version}/{CARD} changed while this run was using it: restore it")
    for name in GRAPH:
        read_file(store, card, name)
