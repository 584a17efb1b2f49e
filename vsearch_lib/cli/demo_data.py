"""`vsearch demo-data`: a generated catalogue in the landing formats."""

import argparse
from pathlib import Path

from vsearch_lib.run.arguments import Commands, count
from vsearch_lib.terminal import say


def add(commands: Commands) -> None:
    """Register the command."""
    demo = commands.add_parser("demo-data", help="write a generated catalogue in the landing formats")
    demo.add_argument("out", type=Path, metavar="OUT")
    demo.add_argument("--images", type=count, default=2000, metavar="N")
    demo.add_argument("--seed", type=int, default=7)
    demo.set_defaults(call=_demo_data)


def _demo_data(arguments: argparse.Namespace) -> None:
    from rich.console import Console
    from rich.progress import Progress

    from vsearch_lib.demo import write_catalogue

    console = Console()
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("drawing", total=arguments.images)
        summary = write_catalogue(
            arguments.out,
            images=arguments.images,
            seed=arguments.seed,
            progress=lambda done, total: progress.update(task, completed=done, total=total),
        )
    say(f"demo-data: {summary}")
