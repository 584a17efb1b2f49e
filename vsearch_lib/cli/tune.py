"""`vsearch index tune`: measures recall and cost of the published version, and of other kinds of index."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from vsearch_lib.errors import GateRefused, UsageError
from vsearch_lib.run.arguments import Commands, add_setting_arguments, settings_of
from vsearch_lib.terminal import say

if TYPE_CHECKING:
    from vsearch_lib.config import Settings
    from vsearch_lib.publishing.gate import Queries
    from vsearch_lib.search.searcher import Searcher
    from vsearch_lib.tuning.measurement import Progress
    from vsearch_lib.tuning.tune import Tuning


def add(actions: Commands) -> None:
    """Register the action among those of `vsearch index`."""
    purpose = "measure the served version at other operating points, and other kinds of index beside it"
    tune = actions.add_parser("tune", help=purpose, description=purpose)
    tune.add_argument(
        "--min-recall",
        type=float,
        metavar="R",
        help="recall@10 to reach (default: halfway between the gate's limit and 1)",
    )
    tune.add_argument(
        "--sample", type=int, default=100_000, metavar="N", help="compare other kinds on N vectors; 0: none"
    )
    tune.add_argument("--adopt", action="store_true", help="publish the cheapest point that reaches the recall")
    add_setting_arguments(tune)
    tune.set_defaults(call=_tune)


def _tune(arguments: argparse.Namespace) -> None:
    """Measure, print, write the page, and with `--adopt` publish the point that was chosen.

    Raises:
        UsageError: an option is out of range, or there are too few vectors to measure.
        GateRefused: with `--adopt`, no point recalls enough; the served version stays.
    """
    settings = settings_of(arguments)
    min_recall = _min_recall(arguments, settings)
    from vsearch_lib.artefact.content import digest
    from vsearch_lib.search.searcher import Searcher
    from vsearch_lib.storage import open_store
    from vsearch_lib.tuning.tune import tune

    searcher = Searcher.open(settings.index.uri, cache=settings.cache)
    tuning = tune(searcher, settings, min_recall=min_recall, sample=arguments.sample, show_progress=_progress_bar)
    print(tuning.text)
    page = tuning.page.encode()
    name = f"tune-{searcher.manifest.version}-{digest(page)[:8]}.html"
    open_store(settings.reports.uri).write_new(name, page)
    print(f"page: {settings.reports.uri}/{name}")
    if arguments.adopt:
        _adopt(searcher, tuning, settings, min_recall=min_recall)


def _min_recall(arguments: argparse.Namespace, settings: "Settings") -> float:
    if arguments.sample < 0:
        raise UsageError(f"--sample {arguments.sample}: give a number of vectors, 0 for none")
    index, gate = settings.index, settings.gate.min_recall_at_10
    if arguments.adopt and (index.nprobe or index.shortlist):
        raise UsageError("--adopt: the next build would go back to index.nprobe and index.shortlist; leave both null")
    if arguments.min_recall is None:
        # Halfway to 1: future queries differ from the measured ones.
        return gate + (1 - gate) / 2
    if not 0 < arguments.min_recall <= 1:
        raise UsageError(f"--min-recall {arguments.min_recall:g}: a recall lies between 0 and 1")
    return float(arguments.min_recall)


@contextmanager
def _progress_bar(what: str) -> "Iterator[Progress]":
    from rich.console import Console
    from rich.progress import Progress as ProgressBar

    console = Console(stderr=True)
    # The bar is drawn only between measurements: a thread that draws it would slow them.
    with ProgressBar(console=console, transient=True, auto_refresh=False, disable=not console.is_terminal) as bar:
        task = bar.add_task(what)
        yield lambda done, total: bar.update(task, completed=done, total=total, refresh=True)


def _adopt(searcher: "Searcher", tuning: "Tuning", settings: "Settings", *, min_recall: float) -> None:
    from vsearch_lib.storage import open_store
    from vsearch_lib.tuning.adoption import adopt

    version, chosen = searcher.manifest.version, tuning.chosen
    if chosen is None:
        raise GateRefused(f"no operating point of {version} recalls {min_recall:g}; it is still served as it is")
    if chosen.setting == searcher.manifest.search:
        print(f"{version} is searched at this point already")
        return
    pointer = adopt(
        open_store(settings.index.uri),
        searcher,
        chosen.setting,
        _gate_queries(searcher, settings),
        cache=settings.cache,
        min_recall_at_10=settings.gate.min_recall_at_10,
    )
    print(f"{pointer.version} is served from {settings.index.uri}")


def _gate_queries(searcher: "Searcher", settings: "Settings") -> "dict[str, Queries]":
    """Return the queries of the gate; crops are cut out of pictures that only the lake can find."""
    # Imported here, because measuring alone needs no Spark.
    from vsearch_lib.lake import Lake
    from vsearch_lib.publishing.strata import gate_queries
    from vsearch_lib.spark.session import spark_session

    with spark_session(settings, "vsearch index tune") as spark:
        return gate_queries(searcher, Lake(spark, settings.lake.uri, "tune"), settings, say=say)
