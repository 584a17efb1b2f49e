"""`vsearch erase`: removes the data of a user or an image from every table."""

import argparse

from vsearch_lib.cli.lake import lake_of
from vsearch_lib.run.arguments import Commands, add_setting_arguments


def add(commands: Commands) -> None:
    """Register the command."""
    erase = commands.add_parser("erase", help="remove a user's or an image's data from every table")
    whose = erase.add_mutually_exclusive_group(required=True)
    whose.add_argument("--user", metavar="ID", help="the user, and the images they own")
    whose.add_argument("--image", metavar="ID", help="the image")
    add_setting_arguments(erase)
    erase.set_defaults(call=_erase)


def _erase(arguments: argparse.Namespace) -> None:
    from vsearch_lib.erasure.erase import erase, report

    with lake_of(arguments, "erase") as (lake, settings):
        erased = erase(lake, "image", arguments.image) if arguments.image else erase(lake, "user", arguments.user)
        print(report(erased, settings))
