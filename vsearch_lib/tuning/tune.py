"""Measure a published version at other operating points, and other kinds of index on its vectors."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TypeAlias

from vsearch_lib.config import Settings
from vsearch_lib.index.factory import FLAT_BELOW
from vsearch_lib.report.page import Section, render_sections
from vsearch_lib.report.text import as_text
from vsearch_lib.search.searcher import Searcher
from vsearch_lib.tuning.families import families, sampled_queries
from vsearch_lib.tuning.frontier import cheapest, most_exact
from vsearch_lib.tuning.measurement import Progress, Queries, sample_rows
from vsearch_lib.tuning.methods import Method, Trial, run_trials
from vsearch_lib.tuning.plots import family_plots, sweep_plot
from vsearch_lib.tuning.sweep import Point, grid, published_queries, sweep
from vsearch_lib.tuning.tables import family_table, sweep_table

ShowProgress: TypeAlias = Callable[[str], AbstractContextManager[Progress]]  # takes a name for the progress bar


@dataclass(frozen=True)
class Tuning:
    """The measurements as text and as an HTML page, and the chosen point, None if no point recalls enough."""

    chosen: Point | None
    text: str
    page: str


def tune(
    searcher: Searcher, settings: Settings, *, min_recall: float, sample: int, show_progress: ShowProgress
) -> Tuning:
    """Measure the version, and choose the cheapest operating point that recalls `min_recall` (of the ten nearest).

    Other kinds of index are compared on `sample` of its vectors; 0 omits the comparison.

    Raises:
        UsageError: there are too few images to measure.
    """
    queries = published_queries(searcher, count=settings.gate.queries, seed=settings.index.seed)
    with show_progress("operating points") as progress:
        points = sweep(searcher, queries, grid(searcher), progress=progress)
    chosen = cheapest(points, min_recall=min_recall)
    methods, trials = _compare(searcher, settings, sample=sample, show_progress=show_progress)

    served, choice = searcher.manifest.search, chosen.setting if chosen else None
    facts = [_described(searcher, queries, settings), _verdict(points, chosen, min_recall)]
    if sample and not trials:
        facts.append(f"other kinds of index are compared from {FLAT_BELOW} vectors on")
    short, whole = (
        [
            sweep_table(points, served=served, chosen=choice, whole=everything),
            *([family_table(trials, methods, min_recall=min_recall, whole=everything)] if trials else []),
        ]
        for everything in (False, True)
    )
    text = "\n\n".join([facts[0], *map(as_text, short), "\n".join(facts[1:])])
    plots = [sweep_plot(points), *(family_plots(trials) if trials else [])]
    page = render_sections(f"Tuning {searcher.manifest.version}", facts, [Section("", [*plots, *whole])])
    return Tuning(chosen, text, page)


def _compare(
    searcher: Searcher, settings: Settings, *, sample: int, show_progress: ShowProgress
) -> tuple[list[Method], list[Trial]]:
    """Return every method, and the trials of the installed ones on a sample of the published vectors."""
    vectors = searcher.vectors(sample_rows(searcher.visible_ids(), sample, settings.index.seed))
    if len(vectors) < FLAT_BELOW:
        return [], []
    queries = sampled_queries(vectors, count=settings.gate.queries, seed=settings.index.seed)
    methods = families(*vectors.shape)
    installed = [method for method in methods if method.installed]
    trials = []
    with show_progress("kinds of index") as progress:
        for done, method in enumerate(installed, 1):
            trials += run_trials(method, vectors, queries)
            progress(done, len(installed))
    return methods, trials


def _described(searcher: Searcher, queries: Queries, settings: Settings) -> str:
    manifest = searcher.manifest
    return (
        f"{manifest.version}: {len(searcher.visible_ids())} visible images, {manifest.dimension} dimensions, "
        f"{manifest.factory}; {len(queries.own)} of them are queries, one at a time (seed {settings.index.seed})"
    )


def _verdict(points: Sequence[Point], chosen: Point | None, min_recall: float) -> str:
    point = chosen or most_exact(points)
    measured, setting = point.measured, point.setting
    label = f"cheapest that recalls {min_recall:g}" if chosen else f"no point recalls {min_recall:g}; nearest to it"
    return (
        f"{label}: nprobe {setting.nprobe}, shortlist {setting.shortlist} "
        f"(recall@10 {measured.recall_at_10.mean:.3f}, {measured.median_ms:.3f} ms)"
    )
