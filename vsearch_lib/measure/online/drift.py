"""Drift: how far the newest vectors are from earlier ones."""

import numpy as np

from vsearch_lib.figures import Figure
from vsearch_lib.vectors import Vectors


def energy_distance(a: Vectors, b: Vectors) -> float:
    """Return the energy distance of two samples of unit vectors, (n, d) and (m, d).

    It is 2 E|a - b| - E|a - a'| - E|b - b'|, each mean over pairs of different rows (Székely and Rizzo, "Energy
    statistics", 2013). If both come from one distribution it is 0 on average, and by chance a little below.

    Raises:
        ValueError: a sample has fewer than two rows.
    """
    if min(len(a), len(b)) < 2:
        raise ValueError("an energy distance needs two rows of each sample")
    return 2 * float(_distances(a, b).mean()) - _within(a) - _within(b)


def drift_figures(name: str, new: Vectors, before: Vectors) -> list[Figure]:
    """Return the distance of `new` from `before`, and, as what chance gives, that of two halves of `before`.

    Return nothing if a sample is too small.
    """
    if len(new) < 2 or len(before) < 4:
        return []
    return [
        Figure("energy_distance", energy_distance(new, before), subject=name, n=len(new) + len(before)),
        Figure(
            "energy_distance",
            energy_distance(before[::2], before[1::2]),
            subject=name,
            slice="by chance",
            n=len(before),
        ),
    ]


def _within(rows: Vectors) -> float:
    return float(_distances(rows, rows).sum()) / (len(rows) * (len(rows) - 1))


def _distances(a: Vectors, b: Vectors) -> Vectors:
    distances: Vectors = np.sqrt(np.maximum(0, 2 - 2 * (a @ b.T)))
    if a is b:
        np.fill_diagonal(distances, 0)  # rounding leaves a little more than 0
    return distances
