"""Which model the runs work with: the one that was promoted, not the one that was trained last."""

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
    """What a pointer says: the model, and since when."""

    version: str
    promoted_at: datetime


def current_model(settings: Settings) -> Card:
    """Return the card of the model that a run works with, which may be of another recipe than the configured one.

    It is the one that was promoted last. If none ever was, it is the model of the published index; before there is an
    index, the newest of the configured recipe: the first model has nothing to be compared with.

    Raises:
        ArtefactError: there is none, or what names it cannot be read.
    """
    card = _current(settings)
    if card is None:
        backbone = settings.model.backbone
        raise ArtefactError(f"no {backbone} model of this configuration in {settings.models.uri}: run train_encoder")
    return card


def known_at_promotion(settings: Settings, card: Card) -> bool:
    """Return whether `card` was there when the model in use was promoted: that one was chosen over it."""
    pointer = _pointer(settings)
    return pointer is not None and card.version < f"{pointer.promoted_at.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def promote(models_uri: str, card: Card, *, run_id: str, now: datetime) -> None:
    """Have the runs work with it from now on, whatever recipe is configured.

    Raises:
        PublishConflict: another run promoted a model meanwhile.
    """
    store = open_store(models_uri)
    said = {"version": card.version, "run_id": run_id, "promoted_at": now.isoformat()}
    store.replace(POINTER, json.dumps(said).encode(), store.read_versioned(POINTER))


def pin_current_model(settings: Settings, *, run_id: str, now: datetime) -> None:
    """Promote the model in use if that was never said, so that one made next is compared before it is taken up."""
    if _read(settings.models.uri, POINTER) is None and (card := _current(settings)):
        promote(settings.models.uri, card, run_id=run_id, now=now)


def _current(settings: Settings) -> Card | None:
    if pointer := _pointer(settings):
        return read_card(open_store(settings.models.uri), pointer.version)
    return _served(settings) or newest(settings.models.uri, recipe_of(settings))


def _served(settings: Settings) -> Card | None:
    """Return the model of the published index, if both are there."""
    manifest = current_manifest(open_store(settings.index.uri))
    version = manifest.model.version if manifest else None
    return next((card for card in cards(settings.models.uri) if card.version == version), None)


def _pointer(settings: Settings) -> _Promoted | None:
    """Return what was promoted: of the whole folder, or as older versions said it, of the configured recipe."""
    if pointer := _read(settings.models.uri, POINTER):
        return pointer
    said = json.dumps(asdict(recipe_of(settings)), sort_keys=True)
    return _read(settings.models.uri, f"promoted/{hashlib.sha256(said.encode()).hexdigest()[:16]}.json")


def _read(models_uri: str, key: str) -> _Promoted | None:
    stored = open_store(models_uri).read_versioned(key)
    if stored is None:
        return None
    try:
        said = json.loads(stored.content)
        return _Promoted(str(said["version"]), datetime.fromisoformat(said["promoted_at"]))
    except (ValueError, TypeError, KeyError):
        raise ArtefactError(f"{models_uri}/{key} does not name a model: vsearch models promote VERSION") from None
