"""A set of pairs of numbers, in which many pairs are looked up at once."""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array  # type: ignore[import-untyped]

from vsearch_lib.vectors import RowIds


class PairSet:
    """Pairs (one, other) of numbers below `size`; their order counts.

    Args:
        one: (pairs,) the first number of each pair.
        other: (pairs,) the second one.
        size: above every number.
    """

    def __init__(self, one: RowIds, other: RowIds, *, size: int) -> None:
        # Numbers of 32 bits halve the memory, which holds five bytes a pair.
        place = (one.astype(np.int32), other.astype(np.int32))
        self._pairs = csr_array((np.ones(len(one), dtype=np.bool_), place), shape=(size, size))

    def holds(self, one: RowIds, other: RowIds) -> NDArray[np.bool_]:
        """Return (n, m) bool: whether the set holds the pair of each of `one` (n,) and each of `other` (m,)."""
        return np.asarray(self._pairs[one][:, other].toarray(), dtype=np.bool_)
