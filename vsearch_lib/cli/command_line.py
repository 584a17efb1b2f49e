"""The `vsearch` command: the parser of all its groups."""

import argparse
import sys

from vsearch_lib.cli import demo_data, erase, index, label, models, quarantine, report, run, schema, search, serve
from vsearch_lib.run.arguments import Parser
from vsearch_lib.run.exit_codes import exit_code

# In the order of --help. Each group imports heavy libraries only when it runs, so the others start without them.
_GROUPS = (run, search, serve, report, schema, quarantine, erase, index, models, label, demo_data)


def main() -> None:
    """Run the command line and exit with the code that says how it ended."""
    arguments = vsearch_parser().parse_args()
    sys.exit(exit_code(lambda: arguments.call(arguments)))


def vsearch_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands; the arguments it returns have a `call`, which runs the command."""
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
