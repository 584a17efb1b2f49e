"""Positives without labels: pictures that the frozen backbone finds near each other."""

import faiss
import numpy as np

from vsearch_lib.vectors import RowIds, Vectors


def mutual_neighbours(vectors: Vectors, count: int) -> RowIds:
    """Return (pairs, 2) in ascending order, each pair in both directions: numbers of vectors near each other.

    Each vector of a pair is among the `count` nearest of the other one, itself not counted, by exact search. Asking
    both leaves out pictures that are near to everything (Qin et al. 2011, "Hello neighbor").

    Args:
        vectors: (n, dimension) of unit length; one of zeros is nobody's neighbour.
        count: above 0.
    """
    known = np.flatnonzero(vectors.any(axis=1))
    n = len(known)
    if n < 2:
        return np.empty((0, 2), dtype=np.int64)
    searched = np.ascontiguousarray(vectors[known], dtype=np.float32)
    _, found = faiss.knn(searched, searched, min(count + 1, n), metric=faiss.METRIC_INNER_PRODUCT)
    itself = found == np.arange(n)[:, None]
    # A picture with many copies may find only those: then its last answer is one too many.
    itself[:, -1] |= ~itself.any(axis=1)
    near = found[~itself].reshape(n, -1)
    one, other = np.repeat(np.arange(n), near.shape[1]), near.ravel()
    pairs = np.intersect1d(one * n + other, other * n + one, assume_unique=True)
    return np.asarray(known[np.stack([pairs // n, pairs % n], axis=1)], dtype=np.int64)
