"""The `vsearch` command: its groups, put together."""

import argparse
import sys

from vsearch_lib.cli import demo_data, erase, index, models, quarantine, run, schema, search
from vsearch_lib.run.arguments import Parser
from vsearch_lib.run.exit_codes import exit_code

# As --help lists them. Each imports what is heavy only when it runs: the others start without it.
_GROUPS = (run, search, schema, quarantine, erase, index, models, demo_data)


def main() -> None:
    """Run the command line and exit with the code that tells how it ended."""
    arguments = vsearch_parser().parse_args()
    sys.exit(exit_code(lambda: arguments.call(arguments)))


def vsearch_parser() -> argparse.ArgumentParser:
    """Return the parser of every command; what it parses has a `call`, which does what was asked for."""
    parser = Parser(
        prog="vsearch",
        description="Visual search: images in, similar images out.",
        epilog="Exit codes: 0 done, 1 failed, 2 bad usage or configuration, 3 refused by a quality or recall gate.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for group in _GROUPS:
        group.add(commands)
    return parser


if __name__ == "__main__":
    main()
