"""`vsearch index tune`: what the published version, and other kinds of index, recall and cost on its own vectors."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress as ProgressBar

from vsearch_lib.artefact.content import digest
from vsearch_lib.config import Settings
from vsearch_lib.errors import GateRefused
from vsearch_lib.index.factory import FLAT_BELOW
from vsearch_lib.publishing.gate import Queries as GateQueries
from vsearch_lib.search.searcher import Searcher
from vsearch_lib.storage import open_store
from vsearch_lib.terminal import say
from vsearch_lib.tuning import adoption
from vsearch_lib.tuning.families import families, sampled_queries
from vsearch_lib.tuning.frontier import cheapest, most_exact
from vsearch_lib.tuning.measurement import Progress, Queries, drawn
from vsearch_lib.tuning.methods import Method, Trial, tried
from vsearch_lib.tuning.page import render
from vsearch_lib.tuning.plots import family_plots, sweep_plot
from vsearch_lib.tuning.sweep import Point, grid, published_queries, sweep
from vsearch_lib.tuning.tables import as_text, family_table, sweep_table


def tune(settings: Settings, *, min_recall: float, sample: int, adopt: bool) -> None:
    """Measure, print and write the page, and publish the point that was chosen if `adopt` is set.

    Args:
        min_recall: recall@10 that a point must reach.
        sample: vectors that other kinds of index are compared on; 0 compares none.

    Raises:
        UsageError: there is too little to measure.
        GateRefused: `adopt` is set and no point recalls enough; the served version stays.
    """
    searcher = Searcher.open(settings.index.uri, cache=settings.cache)
    queries = published_queries(searcher, count=settings.gate.queries, seed=settings.index.seed)
    with _watched("operating points") as progress:
        points = sweep(searcher, queries, grid(searcher), progress=progress)
    chosen = cheapest(points, min_recall=min_recall)
    methods, trials = _compared(searcher, settings, sample=sample)

    at, choice = searcher.manifest.search, chosen.setting if chosen else None
    facts = [_described(searcher, queries, settings), _verdict(points, chosen, min_recall)]
    if sample and not trials:
        facts.append(f"other kinds of index are compared from {FLAT_BELOW} vectors on")
    shown, whole = (
        [
            sweep_table(points, served=at, chosen=choice, whole=everything),
            *([family_table(trials, methods, min_recall=min_recall, whole=everything)] if trials else []),
        ]
        for everything in (False, True)
    )
    print("\n\n".join([facts[0], *map(as_text, shown), "\n".join(facts[1:])]))
    plots = [sweep_plot(points), *(family_plots(trials) if trials else [])]
    page = render(f"Tuning {searcher.manifest.version}", facts, whole, plots).encode()
    name = f"tune-{searcher.manifest.version}-{digest(page)[:8]}.html"
    open_store(settings.reports.uri).write_new(name, page)
    print(f"page: {settings.reports.uri}/{name}")
    if adopt:
        _adopt(searcher, chosen, settings, min_recall=min_recall)


def _compared(searcher: Searcher, settings: Settings, *, sample: int) -> tuple[list[Method], list[Trial]]:
    """Return every method, and what those installed do with a sample of the published vectors."""
    vectors = searcher.vectors(drawn(searcher.visible_ids(), sample, settings.index.seed))
    if len(vectors) < FLAT_BELOW:
        return [], []
    queries = sampled_queries(vectors, count=settings.gate.queries, seed=settings.index.seed)
    methods = families(*vectors.shape)
    installed = [method for method in methods if method.installed]
    trials = []
    with _watched("kinds of index") as progress:
        for done, method in enumerate(installed, 1):
            trials += tried(method, vectors, queries)
            progress(done, len(installed))
    return methods, trials


@contextmanager
def _watched(what: str) -> Iterator[Progress]:
    console = Console(stderr=True)
    # Drawn between measurements: a thread that draws would be measured with them.
    with ProgressBar(console=console, transient=True, auto_refresh=False, disable=not console.is_terminal) as bar:
        task = bar.add_task(what)
        yield lambda done, total: bar.update(task, completed=done, total=total, refresh=True)


def _described(searcher: Searcher, queries: Queries, settings: Settings) -> str:
    manifest = searcher.manifest
    return (
        f"{manifest.version}: {len(searcher.visible_ids())} visible images, {manifest.dimension} dimensions, "
        f"{manifest.factory}; {len(queries.own)} of them asked for one by one (seed {settings.index.seed})"
    )


def _verdict(points: list[Point], chosen: Point | None, min_recall: float) -> str:
    point = chosen or most_exact(points)
    measured, setting = point.measured, point.setting
    what = f"cheapest that recalls {min_recall:g}" if chosen else f"none recalls {min_recall:g}; nearest to it"
    return (
        f"{what}: nprobe {setting.nprobe}, shortlist {setting.shortlist} "
        f"(recall@10 {measured.recall_at_10.mean:.3f}, {measured.median_ms:.3f} ms)"
    )


def _adopt(searcher: Searcher, chosen: Point | None, settings: Settings, *, min_recall: float) -> None:
    version = searcher.manifest.version
    if chosen is None:
        raise GateRefused(f"no operating point of {version} recalls {min_recall:g}; it is served on as it is")
    if chosen.setting == searcher.manifest.search:
        print(f"{version} is searched at this point already")
        return
    pointer = adoption.adopt(
        open_store(settings.index.uri),
        searcher,
        chosen.setting,
        _gate_queries(searcher, settings),
        cache=settings.cache,
        min_recall_at_10=settings.gate.min_recall_at_10,
    )
    print(f"{pointer.version} is served from {settings.index.uri}")


def _gate_queries(searcher: Searcher, settings: Settings) -> dict[str, GateQueries]:
    """Return what the gate asks; the lake says where the pictures are that crops are cut out of."""
    # Measuring alone needs no Spark.
    from vsearch_lib.lake import Lake
    from vsearch_lib.publishing.strata import gate_queries
    from vsearch_lib.spark.session import spark_session

    with spark_session(settings, "vsearch index tune") as spark:
        return gate_queries(searcher, Lake(spark, settings.lake.uri, "tune"), settings, say=say)
