"""`vsearch run`: a step graph in one local Spark session."""

import argparse
import shlex
import sys

from vsearch_lib.cli.groups import Commands
from vsearch_lib.run.arguments import add_common_arguments, dates_of, run_id_of, settings_of
from vsearch_lib.steps import GRAPHS
from vsearch_lib.terminal import printable


def register(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add_parser("run", help="run a step graph in one local Spark session")
    parser.add_argument("graph", choices=sorted(GRAPHS))
    add_common_arguments(parser)
    parser.set_defaults(call=run)


def run(arguments: argparse.Namespace) -> None:
    """Run the graph that the arguments name, and print what it gave."""
    settings, dates = settings_of(arguments), dates_of(arguments)
    from rich.console import Console

    from vsearch_lib.run.runner import run_graph
    from vsearch_lib.run.summary import print_summary

    console = Console()
    results = run_graph(arguments.graph, settings, run_id=run_id_of(arguments), dates=dates, console=console)
    print_summary(results, console)
    if not any(result.step.name == "publish_index" for result in results):
        return
    images = ["--images", arguments.images] if arguments.images else []
    # Only what says where the index is: the rest stands in its manifest.
    named = [o for o in arguments.overrides if o.startswith(("var=", "index.uri="))]
    places = [word for override in named for word in ("--set", override)]
    command = shlex.join([sys.argv[0], "search", "--env", arguments.env, *images, *places])
    line = printable(f"search it: {command} --image FILE")
    console.print(line, markup=False, highlight=False, soft_wrap=True)
