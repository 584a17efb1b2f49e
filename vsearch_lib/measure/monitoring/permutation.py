"""Two-sample permutation tests: how often chance gives a difference as large as the one between new and earlier rows.

Rows of one unit (what one owner uploaded in the new days, or in the earlier ones) are alike, so they are permuted
together. If single rows were permuted, every owner with many similar pictures would look like drift.
"""

import math
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Values: TypeAlias = NDArray[np.float64]
Marks: TypeAlias = NDArray[np.bool_]


class Divisions:
    """Divisions of n rows into new and earlier ones: the observed division first, then random ones of the same units.

    Attributes:
        new: (1 + permutations, n) float32; 1 if the row counts as new, 0 if not.
        new_counts, earlier_counts: (1 + permutations, 1), the number of rows on each side.
    """

    def __init__(self, is_new: Marks, units: Sequence[str], *, permutations: int, seed: int) -> None:
        """Draw the divisions; `is_new` (n) is the observed one, `units` (n) are the names of the rows' units.

        A unit is on one side: what an owner uploaded in the new days and in the earlier ones are two units.

        Raises:
            ValueError: a unit is on both sides, or a side is empty.
        """
        _, first, of_row = np.unique(np.asarray(units), return_index=True, return_inverse=True)
        unit_is_new = is_new[first]
        if not np.array_equal(unit_is_new[of_row], is_new):
            raise ValueError("a unit has new and earlier rows")
        if unit_is_new.all() or not unit_is_new.any():
            raise ValueError("there are no new rows, or no earlier ones")
        rng = np.random.default_rng(seed)
        drawn = rng.permuted(np.tile(unit_is_new, (permutations, 1)), axis=1)
        self.new = np.concatenate([is_new[None], drawn[:, of_row]]).astype(np.float32)
        self.new_counts = self.new.sum(axis=1, keepdims=True, dtype=np.float64)
        self.earlier_counts = len(is_new) - self.new_counts

    def of(self, rows: Marks) -> "Divisions":
        """Return the divisions of some of the rows, those that `rows` (n) marks."""
        part = object.__new__(Divisions)
        part.new = self.new[:, rows]
        part.new_counts = part.new.sum(axis=1, keepdims=True, dtype=np.float64)
        part.earlier_counts = int(rows.sum()) - part.new_counts
        return part


def can_be_tested(is_new: Marks, units: Sequence[str], *, permutations: int) -> bool:
    """Return whether the units can be divided in more ways than are drawn; with fewer no p-value is small enough."""
    names = np.asarray(units)
    new, earlier = (len(np.unique(names[side])) for side in (is_new, ~is_new))
    return math.comb(new + earlier, new) > permutations


def p_value(statistics: Values) -> float:
    """Return the p-value of the first of the `statistics`, one a division; large ones speak for a difference.

    It is (1 + r) / (1 + permutations), r the number of permutations with a statistic at least as large, so that it is
    never 0 and the test is exact (Phipson and Smyth, "Permutation p-values should never be zero", 2010). If the
    statistic is not defined in a division, because no row with a value is on one side, that division counts as large.
    """
    observed, drawn = statistics[0], statistics[1:]
    # Rounding may make equal statistics differ in the last digits.
    as_large = ~(drawn < observed - 1e-6 * abs(observed))
    return float((1 + as_large.sum()) / (1 + len(drawn)))


def holm(p_values: Sequence[float]) -> list[float]:
    """Return Holm's adjusted p-values: the least rates of false alarms, in all tests together, that reject each.

    Whatever the tests depend on, the chance of one or more false alarms is at most the rate (Holm, "A simple
    sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6, 1979).
    """
    adjusted, least = [0.0] * len(p_values), 0.0
    for rank, test in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        least = max(least, min(1.0, (len(p_values) - rank) * p_values[test]))
        adjusted[test] = least
    return adjusted
