"""Validation measures whether pictures find those that they should."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from vsearch_lib.training.validation import mutual_neighbours, recall_of_each_query


def on_a_circle(degrees: list[float]) -> np.ndarray:
    angles = np.radians(np.array(degrees, dtype=np.float64))
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


def test_recall_is_the_share_of_relevant_pictures_among_as_many_answers():
    """Worked by hand: query 0 finds both at once, query 1 one of its two, and query 2 first finds an irrelevant one."""
    vectors = on_a_circle([0, 10, 25, 90])
    relevant = np.zeros((3, 4), dtype=np.bool_)
    relevant[0, [1, 2]] = relevant[1, [0, 3]] = relevant[2, 3] = True
    assert recall_of_each_query(vectors, relevant).tolist() == []  # three queries say too little
    # The same seven times, each time in a plane of its own; the queries come first.
    planes = np.kron(np.eye(7, dtype=np.float32), vectors)
    wide = np.kron(np.eye(7, dtype=np.bool_), np.concatenate([relevant, np.zeros((1, 4), dtype=np.bool_)]))
    order = [4 * n + row for n in range(7) for row in range(3)] + [4 * n + 3 for n in range(7)]
    asked = wide[order][:21, order]
    assert recall_of_each_query(planes[order], asked).tolist() == [1, 0.5, 0] * 7
    asked[1] = False  # a query without a relevant picture does not count
    assert recall_of_each_query(planes[order], asked).tolist() == [1, 0, *[1, 0.5, 0] * 6]


def test_neighbours_are_mutual():
    vectors = on_a_circle([*range(0, 110, 10), 180])
    near = mutual_neighbours(vectors, 12)
    assert not near.diagonal().any()
    assert np.array_equal(near, near.T)
    assert near[0, 1]
    assert not near[11, 0]  # 0 is among the ten nearest of 11, but 11 is the eleventh of 0


@given(st.integers(0, 2**32 - 1))
def test_pictures_that_find_exactly_the_relevant_ones_have_recall_one(seed):
    rng = np.random.default_rng(seed)
    scenes = rng.integers(0, 8, 60)
    centres = np.linalg.qr(rng.standard_normal((12, 12)))[0][:8]
    vectors = centres[scenes] + 0.01 * rng.standard_normal((60, 12))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    relevant = scenes[:, None] == scenes[None, :]
    np.fill_diagonal(relevant, val=False)
    assert set(recall_of_each_query(vectors, relevant[:40]).tolist()) == {1.0}
