"""The `vsearch` command: its groups, put together."""

import argparse
import sys

from vsearch_lib.cli import demo_data, erase, index, models, quarantine, run, schema, search
from vsearch_lib.run.arguments import Parser
from vsearch_lib.run.exit_codes import exit_code

_GROUPS = (run, search, schema, quarantine, erase, index, models, demo_data)


def main() -> None:
    """Run the command line and exit with the code that says how it ended."""
    arguments = parser().parse_args()
    sys.exit(exit_code(lambda: arguments.call(arguments)))


def parser() -> argparse.ArgumentParser:
    """Return the parser of every command; what it parses has `call`, the function that does it."""
    vsearch = Parser(
        prog="vsearch",
        description="Visual search: images in, similar images out.",
        epilog="Exit codes: 0 done, 1 failed, 2 bad usage or configuration, 3 refused by a quality or recall gate.",
    )
    commands = vsearch.add_subparsers(required=True, metavar="COMMAND")
    for group in _GROUPS:
        group.register(commands)
    return vsearch
