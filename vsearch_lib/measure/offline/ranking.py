"""Rankings of judged queries: what is ranked, how people graded it, and the figures of each query."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from vsearch_lib.figures import ALL, Figure
from vsearch_lib.measure.offline.formulas import UNJUDGED, Grades, Measures, Of, values_of
from vsearch_lib.paired import interval_of_mean
from vsearch_lib.vectors import Vectors

DEPTH = 1000  # answers a query, over which figures are computed
RANKING_FIGURES = ("ndcg_at_10", "mrr", "map")  # those that the summary of a run and a comparison show
_QUERIES_AT_ONCE = 2048  # whose grades are in memory together: 16 MB a thousand answers

Judgements = Mapping[str, Mapping[str, int]]  # query id → image id → score 0–5
Rankings = Mapping[str, Sequence[str]]  # query id → image ids, best first


@dataclass(frozen=True)
class Values:
    """The figures of each query of one system.

    Attributes:
        queries: their ids (n).
        of_each: name of the figure → its value (n) for each query.
    """

    queries: Sequence[str]
    of_each: Mapping[str, Of] = field(default_factory=dict)

    def figures(self, *, subject: str, slice_: str = ALL, seed: int) -> list[Figure]:
        """Return the mean of each figure with its 95 % interval, by a bootstrap over the queries.

        There is no interval if all queries have the same value.
        """
        figures = []
        for name, values in self.of_each.items():
            low, high = interval_of_mean(values, seed=seed) or (None, None)
            mean, n = float(np.mean(values)), len(self.queries)
            figures.append(Figure(name, mean, subject=subject, slice=slice_, n=n, low=low, high=high))
        return figures

    def only(self, names: Sequence[str]) -> "Values":
        """Return the figures `names` alone, in their order."""
        return Values(self.queries, {name: self.of_each[name] for name in names})

    def among(self, queries: Sequence[str]) -> "Values":
        """Return the values of `queries`, some of these, in their order."""
        place = {query: row for row, query in enumerate(self.queries)}
        rows = np.array([place[query] for query in queries], dtype=np.int64)
        return Values(list(queries), {name: of[rows] for name, of in self.of_each.items()})


def measured(judgements: Judgements, rankings: Rankings, measures: Measures) -> Values:
    """Return the figures of each judged query, in the order of `judgements`; a query without a ranking counts 0."""
    queries = list(judgements)
    blocks = [queries[start : start + _QUERIES_AT_ONCE] for start in range(0, len(queries), _QUERIES_AT_ONCE)]
    parts = [_block(judgements, rankings, block, measures) for block in blocks]
    names = parts[0] if parts else []
    return Values(queries, {name: np.concatenate([part[name] for part in parts]) for name in names})


def _block(judgements: Judgements, rankings: Rankings, queries: Sequence[str], measures: Measures) -> dict[str, Of]:
    graded = [[judgements[query].get(image, UNJUDGED) for image in rankings.get(query, ())] for query in queries]
    judged = [list(judgements[query].values()) for query in queries]
    return values_of(as_matrix(graded, UNJUDGED), as_matrix(judged, 0), measures)


def as_matrix(rows: Sequence[Sequence[int]], missing: int) -> Grades:
    """Return rows of different lengths as a matrix (n, the longest), filled up with `missing`."""
    matrix = np.full((len(rows), max(map(len, rows), default=0)), missing, dtype=np.int64)
    for row, values in zip(matrix, rows, strict=True):
        row[: len(values)] = values
    return matrix


def exact_rankings(queries: Sequence[str], ids: Sequence[str], vectors: Vectors, *, depth: int) -> dict[str, list[str]]:
    """Rank all `ids` by inner product of their `vectors` (n, d) for each query (one of them), itself left out."""
    position = {image: i for i, image in enumerate(ids)}
    rankings = {}
    for query in queries:
        scores = vectors @ vectors[position[query]]
        best = np.argsort(-scores, kind="stable")[: depth + 1]
        rankings[query] = [ids[i] for i in best if ids[i] != query][:depth]
    return rankings
