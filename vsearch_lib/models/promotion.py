"""Which model of a recipe the runs work with: the one that was promoted, not the one that was trained last."""

import hashlib
import json
from dataclasses import asdict
from datetime import datetime

from vsearch_lib.config import Settings
from vsearch_lib.errors import ArtefactError
from vsearch_lib.models.registry import Card, Recipe, newest, read_card, recipe_of
from vsearch_lib.storage import open_store


def current_model(settings: Settings) -> Card:
    """Return the card of the model that a run works with: the promoted one of the configured recipe.

    Where none was ever promoted it is the newest: the first model has nothing to be compared with.

    Raises:
        ArtefactError: there is none, or what names it cannot be read.
    """
    recipe = recipe_of(settings)
    card = promoted(settings.models.uri, recipe) or newest(settings.models.uri, recipe)
    if card is None:
        raise ArtefactError(
            f"no {recipe.backbone} model of this configuration in {settings.models.uri}: run train_encoder"
        )
    return card


def promoted(models_uri: str, recipe: Recipe) -> Card | None:
    """Return the card of the promoted model of `recipe`, None where none was.

    Raises:
        ArtefactError: what names it cannot be read, or names a model that is gone or of another recipe.
    """
    store = open_store(models_uri)
    pointer = store.read_versioned(_key(recipe))
    if pointer is None:
        return None
    place = f"{models_uri}/{_key(recipe)}"
    try:
        version = str(json.loads(pointer.content)["version"])
    except (ValueError, TypeError, KeyError):
        raise ArtefactError(f"{place} does not name a model: vsearch models promote VERSION") from None
    card = read_card(store, version)
    if card.recipe != recipe:
        raise ArtefactError(f"{place} names {version}, made by another recipe: vsearch models promote VERSION")
    return card


def promote(models_uri: str, card: Card, *, run_id: str, now: datetime) -> None:
    """Have the runs of the card's recipe work with it from now on.

    Raises:
        PublishConflict: another run promoted a model meanwhile.
    """
    store, key = open_store(models_uri), _key(card.recipe)
    said = {"version": card.version, "run_id": run_id, "promoted_at": now.isoformat()}
    store.replace(key, json.dumps(said).encode(), store.read_versioned(key))


def hold_current(models_uri: str, recipe: Recipe, *, run_id: str, now: datetime) -> None:
    """Promote the model in use where that was never said, so that one made next is compared before it is taken up."""
    card = newest(models_uri, recipe)
    if card is not None and promoted(models_uri, recipe) is None:
        promote(models_uri, card, run_id=run_id, now=now)


def _key(recipe: Recipe) -> str:
    said = json.dumps(asdict(recipe), sort_keys=True)
    return f"promoted/{hashlib.sha256(said.encode()).hexdigest()[:16]}.json"
