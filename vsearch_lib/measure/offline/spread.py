"""How far neighbours and strangers lie apart: cosines that are all alike tell a person nothing."""

import numpy as np
from numpy.typing import NDArray

from vsearch_lib.search.searcher import Searcher

NEAREST, STRANGERS = "nearest neighbours", "strangers"
_SAMPLE = 500  # rows


def cosine_spread(searcher: Searcher, *, seed: int) -> dict[str, NDArray[np.float32]]:
    """Return cosines of a seeded sample of rows to the nearest other row, and to a row drawn at random.

    Both are exact, over rows that can be answered with; both are empty if these are fewer than two.
    """
    visible = searcher.visible_ids()
    if len(visible) < 2:
        return {}
    rng = np.random.default_rng(seed)
    rows = rng.choice(visible, size=min(_SAMPLE, len(visible)), replace=False)
    vectors = searcher.vectors(rows)
    hits = searcher.exact(vectors, 2)
    nearest = [
        next(float(score) for row, score in zip(ids, scores, strict=True) if row != own)
        for own, ids, scores in zip(rows, hits.ids, hits.scores, strict=True)
    ]
    # Another row for each: one of the others, counted on from its own place.
    places = np.searchsorted(visible, rows)
    strangers = visible[(places + rng.integers(1, len(visible), size=len(rows))) % len(visible)]
    with_strangers = (vectors * searcher.vectors(strangers)).sum(axis=1)
    return {NEAREST: np.array(nearest, np.float32), STRANGERS: with_strangers.astype(np.float32)}
