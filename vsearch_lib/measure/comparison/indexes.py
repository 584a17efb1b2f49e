"""Two versions of an index, or one at two operating points, on the same queries."""

from dataclasses import dataclass

import numpy as np

from vsearch_lib.context import StepContext
from vsearch_lib.examples.split import images_with_split
from vsearch_lib.measure.comparison.compared import Comparison, answered, first_answers
from vsearch_lib.measure.comparison.evidence import EXACT_SEARCH, JUDGED, Evidence, Pair
from vsearch_lib.measure.offline.formulas import Measures
from vsearch_lib.measure.offline.judged import judged_queries
from vsearch_lib.measure.offline.ranking import RANKING_FIGURES, Judgements, Values, measured
from vsearch_lib.measure.offline.strata import whole_pictures
from vsearch_lib.publishing.recall import recall_of_each, without_own
from vsearch_lib.search.searcher import Searcher

_DEPTH = 10


@dataclass(frozen=True)
class Point:
    """An open version of the index at an operating point; None is the one in its manifest.

    Attributes:
        name: in the figures, after `index`.
    """

    name: str
    searcher: Searcher
    nprobe: int | None = None
    shortlist: int | None = None


def compare_indexes(context: StepContext, new: Point, used: Point) -> Comparison:
    """Compare two points on judged queries, if there are enough, and on recall against exact search.

    Enough are `gate.min_compared_queries`. The queries are images that both versions contain, and each version searches
    with its own vectors of them. Recall is against exact search over the same version: it says what a version loses by
    approximation, not whose model is better.
    """
    settings, chosen = context.settings, context.settings.evaluation
    pair = Pair(new.name, used.name, chosen.seed, what="index")
    rows = {point.name: _rows(point) for point in (new, used)}
    both = sorted(rows[new.name].keys() & rows[used.name].keys())
    if len(both) < max(2, settings.gate.min_compared_queries):
        return Comparison(missing=f"{len(both)} images that both versions contain are too few queries")
    images = images_with_split(context.lake, settings)
    graded = judged_queries(context.lake.read("judgements"), images, seed=chosen.seed, limit=chosen.max_queries)
    judged = {
        query: scores
        for query, scores in answered(graded).items()
        if query in rows[new.name] and query in rows[used.name]
    }
    evidence = []
    if len(judged) >= settings.gate.min_compared_queries:
        evidence.append(_judged(pair, (new, used), judged, rows))
    order = np.random.default_rng(chosen.seed).permutation(len(both))[: chosen.max_queries]
    evidence.append(_against_exact(pair, (new, used), [both[i] for i in sorted(order)], rows))
    return Comparison(evidence)


def _rows(point: Point) -> dict[str, int]:
    ids = point.searcher.rows["image_id"].to_pylist()
    return {ids[row]: int(row) for row in point.searcher.visible_ids()}


def _judged(pair: Pair, points: tuple[Point, Point], judged: Judgements, rows: dict[str, dict[str, int]]) -> Evidence:
    values, answers = {}, {}
    for point in points:
        asked = whole_pictures(point.searcher, judged, rows[point.name])
        rankings = asked.rankings(point.searcher, nprobe=point.nprobe, shortlist=point.shortlist)
        values[point.name] = measured(judged, rankings, Measures()).only(RANKING_FIGURES)
        named = sorted({*judged, *(image for ranked in rankings.values() for image in ranked)})
        vectors = point.searcher.vectors(np.array([rows[point.name][image] for image in named]))
        answers[point.name] = first_answers(rankings, named, vectors)
    return pair.evidence(JUDGED, "ndcg_at_10", values, answers)


def _against_exact(
    pair: Pair, points: tuple[Point, Point], queries: list[str], rows: dict[str, dict[str, int]]
) -> Evidence:
    values = {}
    for point in points:
        searcher = point.searcher
        own = np.array([rows[point.name][query] for query in queries])
        vectors = searcher.vectors(own)
        depth = min(_DEPTH, len(searcher.visible_ids()) - 1) + 1
        truth = without_own(searcher.exact(vectors, depth).ids, own)
        found = without_own(searcher.search(vectors, depth, nprobe=point.nprobe, shortlist=point.shortlist).ids, own)
        shares = recall_of_each(found, truth, vectors, searcher.vectors)
        values[point.name] = Values(queries, {f"recall_at_{_DEPTH}": shares})
    return pair.evidence(EXACT_SEARCH, f"recall_at_{_DEPTH}", values)
