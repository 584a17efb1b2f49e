"""Which model the runs use: the one that was promoted, not the one that was trained last."""

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from vsearch_lib.artefact.pointer import current_manifest
from vsearch_lib.config import Settings
from vsearch_lib.errors import ArtefactError
from vsearch_lib.models.registry import Card, cards, newest, read_card, recipe_of
from vsearch_lib.storage import open_store

POINTER = "in_use.json"


@dataclass(frozen=True)
class _Promoted:
    """The content of a pointer: the promoted model, and the time of its promotion."""

    version: str
    promoted_at: datetime


def current_model(settings: Settings) -> Card:
    """Return the card of the model in use, which may be of another recipe than the configured one.

    It is the model that was promoted last. Before any promotion it is the model of the published index; before there is
    an index, the newest of the configured recipe, because a first model cannot be compared with another.

    Raises:
        ArtefactError: there is no model, or the pointer to it cannot be read.
    """
    card = find_current_model(settings)
    if card is None:
        backbone = settings.model.backbone
        raise ArtefactError(f"no {backbone} model of this configuration in {settings.models.uri}: run train_encoder")
    return card


def version_in_use(settings: Settings) -> str | None:
    """Return the version of the model in use, None if there is none. If one was promoted, its card is not read.

    Raises:
        ArtefactError: the pointer cannot be read.
    """
    if pointer := _pointer(settings):
        return pointer.version
    card = find_current_model(settings)
    return card.version if card else None


def known_at_promotion(settings: Settings, card: Card) -> bool:
    """Return whether `card` existed when the model in use was promoted, so that the other was chosen over it."""
    pointer = _pointer(settings)
    return pointer is not None and card.version < f"{pointer.promoted_at.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def promote(models_uri: str, card: Card, *, run_id: str, now: datetime) -> None:
    """Make all later runs use this model, whatever recipe is configured.

    Raises:
        PublishConflict: another run promoted a model meanwhile.
    """
    store = open_store(models_uri)
    fields = {"version": card.version, "run_id": run_id, "promoted_at": now.isoformat()}
    store.replace(POINTER, json.dumps(fields).encode(), store.read_versioned(POINTER))


def pin_current_model(settings: Settings, *, run_id: str, now: datetime) -> None:
    """Promote the model in use if none was promoted yet, so that the next model is compared before it is used."""
    if _read(settings.models.uri, POINTER) is None and (card := find_current_model(settings)):
        promote(settings.models.uri, card, run_id=run_id, now=now)


def find_current_model(settings: Settings) -> Card | None:
    """Return what `current_model` returns, None if there is no model."""
    if pointer := _pointer(settings):
        return read_card(open_store(settings.models.uri), pointer.version)
    return _served(settings) or newest(settings.models.uri, recipe_of(settings))


def _served(settings: Settings) -> Card | None:
    """Return the model of the published index, None if there is no index or no such model."""
    manifest = current_manifest(open_store(settings.index.uri))
    version = manifest.model.version if manifest else None
    return next((card for card in cards(settings.models.uri) if card.version == version), None)


def _pointer(settings: Settings) -> _Promoted | None:
    """Return the pointer of the registry, or the one that older releases wrote for each recipe."""
    if pointer := _read(settings.models.uri, POINTER):
        return pointer
    recipe = json.dumps(asdict(recipe_of(settings)), sort_keys=True)
    return _read(settings.models.uri, f"promoted/{hashlib.sha256(recipe.encode()).hexdigest()[:16]}.json")


def _read(models_uri: str, key: str) -> _Promoted | None:
    stored = open_store(models_uri).read_versioned(key)
    if stored is None:
        return None
    try:
        fields = json.loads(stored.content)
        return _Promoted(str(fields["version"]), datetime.fromisoformat(fields["promoted_at"]))
    except (ValueError, TypeError, KeyError):
        raise ArtefactError(f"{models_uri}/{key} does not name a model: vsearch models promote VERSION") from None
