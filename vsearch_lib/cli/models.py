"""`vsearch models`: lists, shows, compares and promotes the models, and tries settings of their training."""

import argparse
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from vsearch_lib.cli import compare_models, show_model, tune_models
from vsearch_lib.run.arguments import Commands, add_setting_arguments, settings_of
from vsearch_lib.run_ids import new_run_id
from vsearch_lib.terminal import say

if TYPE_CHECKING:
    from vsearch_lib.models.registry import Card


def add(commands: Commands) -> None:
    """Register the command."""
    models = commands.add_parser(
        "models", help="list, show, compare and promote the models, and try settings of their training"
    )
    actions = models.add_subparsers(required=True, metavar="ACTION", dest="action")
    purpose = "list the models, with a mark at the one in use"
    listing = actions.add_parser("list", help=purpose, description=purpose)
    listing.set_defaults(call=_list)
    show_model.add(actions)
    compare_models.add(actions)
    purpose = "use this model from the next run on"
    promotion = actions.add_parser("promote", help=purpose, description=purpose)
    promotion.add_argument("version")
    promotion.set_defaults(call=_promote)
    for action in (listing, promotion):
        add_setting_arguments(action)
    tune_models.add(actions)


def _list(arguments: argparse.Namespace) -> None:
    settings = settings_of(arguments)
    from vsearch_lib.models.promotion import current_model
    from vsearch_lib.models.registry import encoder_cards

    used = current_model(settings)
    for card in encoder_cards(settings.models.uri):
        mark = "*" if card.version == used.version else " "
        say(f"{mark} {card.version}  {card.recipe.backbone}, {card.dimension} dimensions, {_made_from(card)}")


def _made_from(card: "Card") -> str:
    if card.training_snapshot:
        loss = f", last loss {card.training['last_loss']:.3f}" if "last_loss" in card.training else ""
        return f"trained on {card.training_snapshot}{loss}"
    if "pictures" in card.training:
        return f"not trained, projection fitted to {card.training['pictures']:.0f} pictures"
    return "not trained"


def _promote(arguments: argparse.Namespace) -> None:
    settings, version = settings_of(arguments), arguments.version
    from vsearch_lib.models.load import load_model
    from vsearch_lib.models.promotion import promote
    from vsearch_lib.models.registry import encoder_card

    encoder_card(settings.models.uri, version)
    # A model that cannot be read would make every night fail.
    card = load_model(settings.models.uri, version).card
    promote(settings.models.uri, card, run_id=new_run_id(), now=datetime.now(UTC))
    say(f"{version} is in use from now on: vsearch run refresh_index embeds with it and publishes its index")
