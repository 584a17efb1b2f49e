"""Mutual neighbours are those that a comparison of all pairs finds."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from vsearch_lib.training.objectives.neighbours import mutual_neighbours


def unit(angles: list[float]) -> np.ndarray:
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


def test_a_pair_has_to_be_near_from_both_sides():
    """On a circle 0 and 1 are each other's nearest; the nearest of 2 is 1, which has a nearer one."""
    assert mutual_neighbours(unit([0.0, 0.1, 0.4]), 1).tolist() == [[0, 1], [1, 0]]
    assert len(mutual_neighbours(unit([0.0, 0.1, 0.4]), 2)) == 6


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(0, 30), count=st.integers(1, 35))
def test_mutual_neighbours_equal_a_loop_over_all_pairs(seed, n, count):
    rng = np.random.default_rng(seed)
    vectors = rng.standard_normal((n, 5)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors[rng.random(n) < 0.2] = 0
    known = [i for i in range(n) if vectors[i].any()]
    near = {
        i: sorted((j for j in known if j != i), key=lambda j: -float(vectors[i] @ vectors[j]))[:count] for i in known
    }
    expected = [[i, j] for i in known for j in sorted(near[i]) if i in near[j]]
    assert mutual_neighbours(vectors, count).tolist() == expected


def test_copies_of_one_picture_are_no_neighbours_of_themselves():
    pairs = mutual_neighbours(np.tile(unit([0.3]), (9, 1)), 2)
    assert all(one != other for one, other in pairs.tolist())
    assert {tuple(pair) for pair in pairs.tolist()} == {(other, one) for one, other in pairs.tolist()}
