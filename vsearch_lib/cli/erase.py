"""`vsearch erase`: remove a user's or an image's data from every table."""

import argparse

from vsearch_lib.cli.groups import Commands, open_lake
from vsearch_lib.run.arguments import add_setting_arguments


def register(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add_parser("erase", help="remove a user's or an image's data from every table")
    whose = parser.add_mutually_exclusive_group(required=True)
    whose.add_argument("--user", metavar="ID", help="the user, and the images they own")
    whose.add_argument("--image", metavar="ID", help="the image")
    add_setting_arguments(parser)
    parser.set_defaults(call=_erase)


def _erase(arguments: argparse.Namespace) -> None:
    from vsearch_lib.erasure.erase import erase, report

    with open_lake(arguments, "erase") as (lake, settings):
        erased = erase(lake, "image", arguments.image) if arguments.image else erase(lake, "user", arguments.user)
        print(report(erased, settings))
