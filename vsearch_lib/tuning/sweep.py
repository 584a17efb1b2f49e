"""The published version at other operating points: more or fewer lists visited, a longer or shorter short list."""

from dataclasses import dataclass
from functools import partial

from vsearch_lib.artefact.manifest import OperatingPoint
from vsearch_lib.errors import UsageError
from vsearch_lib.index.factory import list_count
from vsearch_lib.search.searcher import Searcher
from vsearch_lib.tuning.measurement import Measured, Progress, Queries, measure, no_progress, queries_of, sample_rows
from vsearch_lib.vectors import RowIds, Vectors

MOST_LISTS = 512  # a query that visits more has the wrong template
SHORTLISTS = (25, 50, 100, 200, 400, 800)


@dataclass(frozen=True)
class Point:
    """An operating point and what it recalls and costs."""

    setting: OperatingPoint
    measured: Measured


def published_queries(searcher: Searcher, *, count: int, seed: int) -> Queries:
    """Return `count` seeded rows that everybody may see, to be asked for, and the exact answers.

    Raises:
        UsageError: there are fewer than two such rows.
    """
    visible = searcher.visible_ids()
    if len(visible) < 2:
        number = f"{len(visible) or 'no'} image{'' if len(visible) == 1 else 's'}"
        raise UsageError(
            f"{searcher.manifest.version} shows {number}: tuning asks images for others, so it needs at least 2"
        )
    own = sample_rows(visible, count, seed)
    return queries_of(lambda vectors, k: searcher.exact(vectors, k).ids, searcher.vectors, own, among=len(visible))


def grid(searcher: Searcher) -> list[OperatingPoint]:
    """Return the operating points worth measuring: powers of two of lists, short lists, and what is served."""
    manifest = searcher.manifest
    lists = list_count(manifest.factory, manifest.dimension)
    probes = [1 << power for power in range(lists.bit_length()) if 1 << power <= MOST_LISTS]
    settings = [OperatingPoint(nprobe, shortlist) for nprobe in probes for shortlist in SHORTLISTS]
    return settings if manifest.search in settings else [*settings, manifest.search]


def sweep(
    searcher: Searcher, queries: Queries, settings: list[OperatingPoint], *, progress: Progress = no_progress
) -> list[Point]:
    """Measure operating points, in their order."""

    def ask(at: OperatingPoint, vectors: Vectors, k: int) -> RowIds:
        return searcher.search(vectors, k, nprobe=at.nprobe, shortlist=at.shortlist).ids

    measured = measure([partial(ask, setting) for setting in settings], queries, progress=progress)
    return [Point(setting, found) for setting, found in zip(settings, measured, strict=True)]
