"""How far neighbours and strangers are apart: if all cosines are alike, a score means nothing to a reader."""

import numpy as np
from numpy.typing import NDArray

from vsearch_lib.search.searcher import Searcher

NEAREST, STRANGERS = "nearest neighbours", "strangers"
_SAMPLE = 500  # rows


def cosine_spread(searcher: Searcher, *, seed: int) -> dict[str, NDArray[np.float32]]:
    """Return cosines of a seeded sample of rows to the nearest other row, and to a row drawn at random.

    Both are exact, over the rows that can be answers; both are empty if there are fewer than two.
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
    # A stranger is a row at another position among the visible ones.
    positions = np.searchsorted(visible, rows)
    strangers = visible[(positions + rng.integers(1, len(visible), size=len(rows))) % len(visible)]
    with_strangers = (vectors * searcher.vectors(strangers)).sum(axis=1)
    return {NEAREST: np.array(nearest, np.float32), STRANGERS: with_strangers.astype(np.float32)}
