"""Several pictures in one query: what answers should look like, and what they should not."""

import numpy as np

from vsearch_lib.errors import InvalidArgument
from vsearch_lib.vectors import Vectors

# The weights that Manning, Raghavan and Schütze call reasonable.
_ORIGINAL, _LIKE, _UNLIKE = 1.0, 0.75, 0.15
_MIN_LENGTH = 1e-3  # of a sum of unit vectors; a shorter one has a direction of rounding errors


def with_examples(query: Vectors | None, like: Vectors, unlike: Vectors) -> Vectors:
    """Return the unit vector (d,) of a query with examples, by Rocchio's formula.

    It is q + .75·mean(like) - .15·mean(unlike), divided by its length (Rocchio 1971; Manning, Raghavan and Schütze,
    Introduction to Information Retrieval, 2008, chapter 9.1.1). Unit vectors replace the documents' term weights.

    Args:
        query: the unit vector (d,) of the picture, None if there are only examples.
        like, unlike: unit vectors (n, d), of which each may have no rows.

    Raises:
        InvalidArgument: the examples cancel each other.
    """
    if query is not None and not len(like) and not len(unlike):
        return query
    total = np.zeros(like.shape[1]) if query is None else _ORIGINAL * query.astype(np.float64)
    for weight, vectors in ((_LIKE, like), (-_UNLIKE, unlike)):
        if len(vectors):
            total += weight * vectors.mean(axis=0)
    length = float(np.linalg.norm(total))
    if length < _MIN_LENGTH:
        raise InvalidArgument("unlike", "and the other images of the query cancel each other; leave some out")
    return np.asarray(total / length, dtype=np.float32)
