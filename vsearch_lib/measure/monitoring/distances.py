"""How far new rows are from earlier ones, for every division of the rows at once: numbers, words, and vectors."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from vsearch_lib.measure.monitoring.permutation import Divisions, Values
from vsearch_lib.vectors import Vectors

Occurs: TypeAlias = NDArray[np.bool_]  # (n, words)


def largest_gaps(values: Values, divisions: Divisions) -> Values:
    """Return the largest distance between the distribution functions of new and earlier `values` (n), 0 to 1.

    It is the statistic of Kolmogorov and Smirnov: 0.2 means that a value exists which 20 % more of one side exceed.
    """
    order = np.argsort(values, kind="stable")
    ascending = values[order]
    last_of_equal = np.append(ascending[1:] != ascending[:-1], True)
    # A row of the transposed array is read as a whole, so that sorting and adding up are quick.
    below = np.cumsum(np.ascontiguousarray(divisions.new.T)[order], axis=0)[last_of_equal]
    rows_below = np.arange(1, len(values) + 1, dtype=np.float32)[last_of_equal, None]
    with np.errstate(invalid="ignore", divide="ignore"):
        new, earlier = (
            (1 / counts[:, 0]).astype(np.float32) for counts in (divisions.new_counts, divisions.earlier_counts)
        )
        below *= new + earlier
        below -= rows_below * earlier
    largest: Values = np.maximum(below.max(axis=0), -below.min(axis=0)).astype(np.float64)
    return largest


def share_changes(occurs: Occurs, divisions: Divisions) -> tuple[Values, Values]:
    """Return how much more often each word occurs in new rows, and that in standard errors.

    Both are (divisions, words). The standard error is the one for equal shares on both sides; the largest of several
    such numbers of different words is one statistic for all of them, to which rare words contribute as common ones do.
    """
    found = divisions.new @ occurs.astype(np.float32)
    total = occurs.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        changes = found / divisions.new_counts - (total - found) / divisions.earlier_counts
        share = total / len(occurs)
        error = np.sqrt(share * (1 - share) * (1 / divisions.new_counts + 1 / divisions.earlier_counts))
        standard = np.where(error > 0, changes / error, 0.0)
    return changes, standard


def energy_distances(vectors: Vectors, divisions: Divisions) -> Values:
    """Return the energy distance of new and earlier unit `vectors` (n, d), for each division.

    It is 2 E|a - b| - E|a - a'| - E|b - b'|, each mean over pairs of different rows (Székely and Rizzo, "Energy
    statistics", 2013). If both come from one distribution it is 0 on average, and by chance a little below. Distances
    are computed once; a division then costs n² multiplications. It is not a number if a side has fewer than two rows.
    """
    distances = vectors @ vectors.T
    np.multiply(distances, -2, out=distances)
    np.add(distances, 2, out=distances)
    np.sqrt(np.maximum(distances, 0, out=distances), out=distances)
    np.fill_diagonal(distances, 0)  # rounding leaves a little more than 0
    to_all = distances.sum(axis=1, dtype=np.float64)
    new, m, n = divisions.new, divisions.new_counts[:, 0], divisions.earlier_counts[:, 0]
    within_new = np.einsum("bi,bi->b", new @ distances, new, dtype=np.float64)
    between = new @ to_all - within_new
    within_earlier = to_all.sum() - 2 * between - within_new
    with np.errstate(invalid="ignore", divide="ignore"):
        energy: Values = 2 * between / (m * n) - within_new / (m * (m - 1)) - within_earlier / (n * (n - 1))
    return energy
