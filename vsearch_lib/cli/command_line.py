"""The `vsearch` command."""

import argparse
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from vsearch_lib.run.arguments import (
    Parser,
    add_common_arguments,
    add_setting_arguments,
    check_output,
    count,
    crop,
    dates_of,
    run_id_of,
    settings_of,
)
from vsearch_lib.run.exit_codes import exit_code
from vsearch_lib.run_ids import new_run_id
from vsearch_lib.steps import GRAPHS
from vsearch_lib.terminal import printable, say

if TYPE_CHECKING:
    from vsearch_lib.config import Settings
    from vsearch_lib.lake import Lake

REFUSED_FROM = ("images", "users", "interactions", "judgements", "embeddings")


def main() -> None:
    """Run the command line and exit with the code that tells how it ended."""
    arguments = _parser().parse_args()
    sys.exit(exit_code(lambda: arguments.call(arguments)))


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="vsearch",
        description="Visual search: images in, similar images out.",
        epilog="Exit codes: 0 done, 1 failed, 2 bad usage or configuration, 3 refused by a quality or recall gate.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    run = commands.add_parser("run", help="run a step graph in one local Spark session")
    run.add_argument("graph", choices=sorted(GRAPHS))
    add_common_arguments(run)
    run.set_defaults(call=_run)

    search = commands.add_parser("search", help="find pictures like one you give")
    search.add_argument("--image", required=True, metavar="FILE", help="the picture to search with")
    search.add_argument("--crop", type=crop, metavar="X,Y,W,H", help="search with this part of it, in pixels")
    search.add_argument("-k", type=count, default=10, help="how many answers (default: 10)")
    search.add_argument("--json", action="store_true", help="print the answers as JSON")
    search.add_argument("--html", metavar="OUT", help="write the answers as a page with pictures")
    add_setting_arguments(search)
    search.set_defaults(call=_search)

    schema = commands.add_parser("schema", help="compare the lake's tables with schemas/, or make them the same")
    actions = schema.add_subparsers(required=True, metavar="ACTION", dest="action")
    for action, purpose in (("check", "list every difference"), ("migrate", "make the changes that stored rows allow")):
        add_setting_arguments(actions.add_parser(action, help=purpose, description=purpose))
    schema.set_defaults(call=_schema)

    quarantine = commands.add_parser("quarantine", help="what was refused on its way in, and why")
    actions = quarantine.add_subparsers(required=True, metavar="ACTION", dest="action")
    shown = actions.add_parser("list", help="count and list what is refused", description="Count and list it.")
    shown.add_argument("--table", choices=REFUSED_FROM, help="only what was going there")
    shown.add_argument("--reason", metavar="CODE", help="only this code of docs/quarantine.md")
    shown.add_argument("-n", type=count, default=20, help="how many items to list (default: 20)")
    again = actions.add_parser("retry", help="take in again what is refused, and nothing else", description="Retry it.")
    again.add_argument("--table", choices=REFUSED_FROM, help="only what was going there")
    for listing_or_retry in (shown, again):
        add_setting_arguments(listing_or_retry)
    quarantine.set_defaults(call=_quarantine)

    erase = commands.add_parser("erase", help="remove a user's or an image's data from every table")
    whose = erase.add_mutually_exclusive_group(required=True)
    whose.add_argument("--user", metavar="ID", help="the user, and the images they own")
    whose.add_argument("--image", metavar="ID", help="the image")
    add_setting_arguments(erase)
    erase.set_defaults(call=_erase)

    index = commands.add_parser("index", help="look after published versions of the index")
    actions = index.add_subparsers(required=True, metavar="ACTION", dest="action")
    compact = actions.add_parser("compact", help="fold deltas and tombstones in", description="Fold them in.")
    add_common_arguments(compact)
    compact.set_defaults(call=_run, graph="compact")
    for action, purpose, default in (
        ("list", "list the versions there are, the served one marked", None),
        ("show", "say what a version consists of and what it was made from", "the served one"),
        ("verify", "check every file of a version byte for byte", "the served one"),
        ("rollback", "serve an earlier version again", "the parent of the served one"),
        ("gc", "delete old versions, and files that none of the others names", None),
    ):
        looking = actions.add_parser(action, help=purpose, description=purpose)
        if default:
            looking.add_argument("version", nargs="?", help=f"default: {default}")
        add_setting_arguments(looking)
        looking.set_defaults(call=_index)
    purpose = "measure the served version at other operating points, and other kinds of index beside it"
    tune = actions.add_parser("tune", help=purpose, description=purpose)
    tune.add_argument("--min-recall", type=float, metavar="R", help="recall@10 to reach (default: midway, gate to 1)")
    tune.add_argument("--sample", type=int, default=100_000, metavar="N", help="compare on N vectors; 0: no others")
    tune.add_argument("--adopt", action="store_true", help="publish the cheapest point that reaches it")
    add_setting_arguments(tune)
    tune.set_defaults(call=_tune)

    models = commands.add_parser("models", help="look after the models that were trained")
    actions = models.add_subparsers(required=True, metavar="ACTION", dest="action")
    purpose = "list the models of the configured recipe, the one in use marked"
    add_setting_arguments(actions.add_parser("list", help=purpose, description=purpose))
    purpose = "have the next runs work with this model"
    promote = actions.add_parser("promote", help=purpose, description=purpose)
    promote.add_argument("version")
    add_setting_arguments(promote)
    models.set_defaults(call=_models)

    demo = commands.add_parser("demo-data", help="write a generated catalogue in the landing formats")
    demo.add_argument("out", type=Path, metavar="OUT")
    demo.add_argument("--images", type=count, default=2000, metavar="N")
    demo.add_argument("--seed", type=int, default=7)
    demo.set_defaults(call=_demo_data)
    return parser


def _run(arguments: argparse.Namespace) -> None:
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


def _search(arguments: argparse.Namespace) -> None:
    settings = settings_of(arguments)
    if arguments.html:
        check_output("--html", Path(arguments.html))
    from vsearch_lib.serving.answer import answer_file, as_json, as_text, write_page
    from vsearch_lib.serving.lean import without_pandas

    with without_pandas():
        answers = answer_file(settings, Path(arguments.image), k=arguments.k, crop=arguments.crop)
    print(as_json(answers) if arguments.json else as_text(answers))
    if arguments.html:
        why = write_page(settings, answers, Path(arguments.html))
        if why:
            print(printable(f"vsearch: {why}"), file=sys.stderr)
        if not arguments.json:
            say(f"page: {arguments.html}")


def _index(arguments: argparse.Namespace) -> None:
    from vsearch_lib.cli.index import run_action

    run_action(arguments, settings_of(arguments))


def _tune(arguments: argparse.Namespace) -> None:
    from vsearch_lib.tuning.command import run_tune

    run_tune(arguments, settings_of(arguments))


def _schema(arguments: argparse.Namespace) -> None:
    from vsearch_lib.lake.migration import check, migrate

    with _lake(arguments, "schema") as (lake, _):
        {"check": check, "migrate": migrate}[arguments.action](lake)


def _quarantine(arguments: argparse.Namespace) -> None:
    from vsearch_lib.cli.quarantine import as_text, listed, retry

    with _lake(arguments, "quarantine") as (lake, settings):
        if arguments.action == "list":
            print(as_text(listed(lake, table=arguments.table, reason=arguments.reason), limit=arguments.n))
            return
        rows = listed(lake, table=arguments.table, reason=None).select("table").distinct().collect()
        tables = sorted({row["table"] for row in rows} & set(REFUSED_FROM))
        for line in retry(lake, settings, tables) if tables else ["nothing is refused: there is nothing to retry"]:
            say(line)


def _erase(arguments: argparse.Namespace) -> None:
    from vsearch_lib.erasure.erase import erase, report

    with _lake(arguments, "erase") as (lake, settings):
        erased = erase(lake, "image", arguments.image) if arguments.image else erase(lake, "user", arguments.user)
        print(report(erased, settings))


@contextmanager
def _lake(arguments: argparse.Namespace, command: str) -> "Iterator[tuple[Lake, Settings]]":
    settings = settings_of(arguments)
    from vsearch_lib.lake import Lake
    from vsearch_lib.spark.session import spark_session

    with spark_session(settings, f"vsearch {command}") as spark:
        yield Lake(spark, settings.lake.uri, new_run_id()), settings


def _models(arguments: argparse.Namespace) -> None:
    settings = settings_of(arguments)
    from vsearch_lib.cli.models import run_action

    run_action(arguments, settings)


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


if __name__ == "__main__":
    main()
