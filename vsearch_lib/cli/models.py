"""`vsearch models`: looking after the models that were trained."""

import argparse
from datetime import UTC, datetime

from vsearch_lib.config import Settings
from vsearch_lib.errors import UsageError
from vsearch_lib.models.load import load_model
from vsearch_lib.models.promotion import current_model, promote
from vsearch_lib.models.registry import Card, cards
from vsearch_lib.run_ids import new_run_id
from vsearch_lib.terminal import say


def run_action(arguments: argparse.Namespace, settings: Settings) -> None:
    """Do what `vsearch models ACTION` asks for."""
    if arguments.action == "list":
        _list(settings)
    else:
        _promote(settings, arguments.version)


def _list(settings: Settings) -> None:
    used = current_model(settings)
    for card in _encoders(settings):
        mark = "*" if card.version == used.version else " "
        say(f"{mark} {card.version}  {card.recipe.backbone}, {card.dimension} dimensions, {_made_from(card)}")


def _encoders(settings: Settings) -> list[Card]:
    """Return the models that a night can work with: a backbone alone, which others are made from, is none of them."""
    return [card for card in cards(settings.models.uri) if card.recipe.dimension is not None]


def _made_from(card: Card) -> str:
    if card.training_snapshot:
        loss = f", last loss {card.training['last_loss']:.3f}" if "last_loss" in card.training else ""
        return f"trained on {card.training_snapshot}{loss}"
    if "pictures" in card.training:
        return f"not trained, projection fitted to {card.training['pictures']:.0f} pictures"
    return "not trained"


def _promote(settings: Settings, version: str) -> None:
    known = [card.version for card in _encoders(settings)]
    if version not in known:
        raise UsageError(
            f"{settings.models.uri} has no model {version}; it has {', '.join(known) or 'no model at all'}"
        )
    # One that cannot be read would stop every night.
    card = load_model(settings.models.uri, version).card
    promote(settings.models.uri, card, run_id=new_run_id(), now=datetime.now(UTC))
    say(f"{version} is in use from now on: vsearch run refresh_index embeds with it and publishes its index")
