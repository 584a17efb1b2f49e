"""Does a model still find near what its frozen backbone has near? After a training on views alone it does not.

A pretrained backbone has alike pictures near each other already. Pictures that are mutual nearest neighbours in its
features are taken for alike. That is a guard, no proof of quality: people may find other pictures alike.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from vsearch_lib.measure.comparison.evidence import FROZEN_NEIGHBOURS, Evidence, Pair
from vsearch_lib.measure.offline.ranking import Values, exact_rankings
from vsearch_lib.training.validation import NEIGHBOURS
from vsearch_lib.vectors import RowIds, Vectors

_ROWS_AT_ONCE = 512  # whose cosines are in memory together: 40 MB for 20,000 pictures


def frozen_neighbours(ids: Sequence[str], features: Vectors, queries: Sequence[str]) -> dict[str, list[str]]:
    """Return query → its mutual neighbours, for those of `queries` that have any.

    Two pictures are mutual neighbours if each is among the nearest `NEIGHBOURS` of the other in the centred features.

    Args:
        ids: of the catalogue, without copies.
        features: (n, width) of the frozen backbone.
        queries: some of `ids`.
    """
    centred = _centred(features)
    place = {image_id: row for row, image_id in enumerate(ids)}
    rows = np.array([place[query] for query in queries], dtype=np.int64)
    near = _nearest(centred, rows)
    others = np.unique(near)
    theirs = dict(zip(others.tolist(), _nearest(centred, others), strict=True))
    mutual = {
        query: [ids[other] for other in found.tolist() if row in theirs[other]]
        for query, row, found in zip(queries, rows.tolist(), near, strict=True)
    }
    return {query: found for query, found in mutual.items() if found}


def frozen_neighbour_evidence(
    pair: Pair, ids: Sequence[str], vectors: Mapping[str, Vectors], neighbours: Mapping[str, Sequence[str]]
) -> Evidence:
    """Return R-precision: the share of a query's r neighbours among its first r answers, by exact search.

    Args:
        pair: the two models.
        ids: of the catalogue.
        vectors: version → the vectors (n, d) of the catalogue.
        neighbours: query → its neighbours, up to `NEIGHBOURS`.
    """
    queries = sorted(neighbours)
    values = {}
    for version, encoded in vectors.items():
        rankings = exact_rankings(queries, ids, encoded, depth=NEIGHBOURS)
        of_each = np.array([_r_precision(rankings[query], neighbours[query]) for query in queries])
        values[version] = Values(queries, {"r_precision": of_each})
    return pair.evidence(FROZEN_NEIGHBOURS, "r_precision", values)


def _r_precision(ranking: Sequence[str], relevant: Sequence[str]) -> float:
    return len(set(ranking[: len(relevant)]) & set(relevant)) / len(relevant)


def _centred(features: Vectors) -> Vectors:
    """Return features without their mean, of unit length; zeros if nothing is left of them."""
    moved = features - features.mean(axis=0)
    return np.asarray(moved / np.maximum(np.linalg.norm(moved, axis=1, keepdims=True), 1e-12), dtype=np.float32)


def _nearest(vectors: Vectors, rows: RowIds) -> NDArray[np.int64]:
    """Return for each of `rows` the up to `NEIGHBOURS` rows of `vectors` (n, d) that are nearest, itself left out."""
    count = min(NEIGHBOURS, len(vectors) - 1)
    found = np.empty((len(rows), count), dtype=np.int64)
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        asking = rows[start : start + _ROWS_AT_ONCE]
        cosines = vectors[asking] @ vectors.T
        cosines[np.arange(len(asking)), asking] = -np.inf
        found[start : start + len(asking)] = np.argpartition(-cosines, max(count - 1, 0), axis=1)[:, :count]
    return found
