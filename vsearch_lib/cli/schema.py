"""`vsearch schema`: compares the lake's tables with `schemas/`, and migrates them."""

import argparse

from vsearch_lib.cli.lake import lake_of
from vsearch_lib.run.arguments import Commands, add_setting_arguments


def add(commands: Commands) -> None:
    """Register the command."""
    schema = commands.add_parser("schema", help="compare the lake's tables with schemas/, or make them the same")
    actions = schema.add_subparsers(required=True, metavar="ACTION", dest="action")
    for action, purpose in (("check", "list every difference"), ("migrate", "make the changes that stored rows allow")):
        add_setting_arguments(actions.add_parser(action, help=purpose, description=purpose))
    schema.set_defaults(call=_schema)


def _schema(arguments: argparse.Namespace) -> None:
    from vsearch_lib.lake.migration import check, migrate

    with lake_of(arguments, "schema") as (lake, _):
        {"check": check, "migrate": migrate}[arguments.action](lake)
