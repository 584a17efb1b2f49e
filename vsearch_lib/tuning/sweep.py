"""The published version at other operating points: more or fewer lists visited, a longer or shorter shortlist."""

from dataclasses import dataclass
from functools import partial

from vsearch_lib.artefact.manifest import OperatingPoint
from vsearch_lib.errors import UsageError
from vsearch_lib.index.factory import list_count
from vsearch_lib.search.searcher import Searcher
from vsearch_lib.tuning.measurement import Measured, Progress, Queries, measure, no_progress, queries_of, sample_rows
from vsearch_lib.vectors import RowIds, Vectors

MAX_NPROBE = 512  # if a query must visit more lists, the template is wrong
SHORTLISTS = (25, 50, 100, 200, 400, 800)


@dataclass(frozen=True)
class Point:
    """An operating point with its recall and latency."""

    setting: OperatingPoint
    measured: Measured


def published_queries(searcher: Searcher, *, count: int, seed: int) -> Queries:
    """Return `count` seeded rows that everybody may see as queries, with the answers of exact search.

    Raises:
        UsageError: there are fewer than two such rows.
    """
    visible = searcher.visible_ids()
    if len(visible) < 2:
        number = f"{len(visible) or 'no'} image{'' if len(visible) == 1 else 's'}"
        raise UsageError(
            f"{searcher.manifest.version} shows {number}: tuning searches for other images, so it needs at least 2"
        )
    own = sample_rows(visible, count, seed)
    return queries_of(lambda vectors, k: searcher.exact(vectors, k).ids, searcher.vectors, own, among=len(visible))


def grid(searcher: Searcher) -> list[OperatingPoint]:
    """Return the operating points to measure: powers of two for nprobe with each shortlist, and the served point."""
    manifest = searcher.manifest
    lists = list_count(manifest.factory, manifest.dimension)
    probes = [1 << power for power in range(lists.bit_length()) if 1 << power <= MAX_NPROBE]
    settings = [OperatingPoint(nprobe, shortlist) for nprobe in probes for shortlist in SHORTLISTS]
    return settings if manifest.search in settings else [*settings, manifest.search]


def sweep(
    searcher: Searcher, queries: Queries, settings: list[OperatingPoint], *, progress: Progress = no_progress
) -> list[Point]:
    """Measure operating points; return them in their order."""

    def ask(setting: OperatingPoint, vectors: Vectors, k: int) -> RowIds:
        return searcher.search(vectors, k, nprobe=setting.nprobe, shortlist=setting.shortlist).ids

    results = measure([partial(ask, setting) for setting in settings], queries, progress=progress)
    return [Point(setting, measured) for setting, measured in zip(settings, results, strict=True)]
