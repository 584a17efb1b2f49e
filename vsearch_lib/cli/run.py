"""`vsearch run`: a step graph in one local Spark session."""

import argparse
import shlex
import sys

from vsearch_lib.run.arguments import Commands, add_common_arguments, dates_of, run_id_of, settings_of
from vsearch_lib.steps import GRAPHS
from vsearch_lib.terminal import printable


def add(commands: Commands) -> None:
    """Register the command."""
    run = commands.add_parser("run", help="run a step graph in one local Spark session")
    run.add_argument("graph", choices=sorted(GRAPHS))
    add_common_arguments(run)
    run.set_defaults(call=run_graph_of)


def run_graph_of(arguments: argparse.Namespace) -> None:
    """Run the graph that the parsed arguments name, and print how to search what it published."""
    settings, dates = settings_of(arguments), dates_of(arguments)
    from rich.console import Console

    from vsearch_lib.run.runner import run_graph
    from vsearch_lib.run.summary import print_summary

    console = Console()
    results = run_graph(arguments.graph, settings, run_id=run_id_of(arguments), dates=dates, console=console)
    print_summary(results, console)
    if any(result.step.name == "publish_index" for result in results):
        # Only the settings that say where the index is: the others are in its manifest.
        search = _command(arguments, "search", [o for o in arguments.overrides if o.startswith(("var=", "index.uri="))])
        for line in (
            f"search it: {search} --image FILE",
            f"report on it: {_command(arguments, 'report', arguments.overrides)}",
        ):
            console.print(printable(line), markup=False, highlight=False, soft_wrap=True)


def _command(arguments: argparse.Namespace, command: str, overrides: list[str]) -> str:
    images = ["--images", arguments.images] if arguments.images else []
    chosen = [word for override in overrides for word in ("--set", override)]
    return shlex.join([sys.argv[0], command, "--env", arguments.env, *images, *chosen])
