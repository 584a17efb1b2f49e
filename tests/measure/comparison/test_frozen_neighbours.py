"""The guard knows which pictures a backbone has near each other, and how many of them a model still finds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from vsearch_lib.measure.comparison import frozen_neighbours as module
from vsearch_lib.measure.comparison.evidence import Pair
from vsearch_lib.measure.comparison.frozen_neighbours import frozen_neighbour_evidence, frozen_neighbours

PAIR = Pair("new", "used", seed=1)


def directions(*degrees: float) -> np.ndarray:
    angles = np.radians(degrees)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


def test_neighbours_are_mutual(monkeypatch):
    """Of each picture only the nearest one counts: c is nearest to b, but b is nearer to a."""
    monkeypatch.setattr(module, "NEIGHBOURS", 1)
    # The mean of these six directions is zero, so that centring them changes nothing.
    features = directions(0, 10, 25, 180, 190, 205)
    found = frozen_neighbours(list("abcdef"), features, list("abcd"))
    assert found == {"a": ["b"], "b": ["a"], "d": ["e"]}


def test_features_are_centred_first(monkeypatch):
    """All features point nearly the same way; what remains without their mean is on two opposite sides."""
    monkeypatch.setattr(module, "NEIGHBOURS", 1)
    shifts = np.array([[1, 0.1], [1, 0.2], [-1, 0.1], [-3, 0.5]], np.float32)
    features = np.concatenate([np.full((4, 1), 100, np.float32), shifts - shifts.mean(axis=0)], axis=1)
    assert frozen_neighbours(list("abcd"), features, list("ac")) == {"a": ["b"], "c": ["d"]}


@examples(max_examples=50, deadline=None)
@given(st.integers(2, 40), st.integers(0, 10_000), st.integers(1, 7))
def test_they_are_those_that_all_cosines_give(n: int, seed: int, rows_at_once: int):
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(n, 8)).astype(np.float32)
    ids = [f"i{row:02d}" for row in range(n)]
    queries = sorted(rng.choice(ids, size=rng.integers(1, n + 1), replace=False).tolist())
    moved = (features - features.mean(axis=0)).astype(np.float64)
    cosines = moved @ moved.T / np.outer(*[np.linalg.norm(moved, axis=1)] * 2)
    near = {a: {ids[j] for j in [j for j in np.argsort(-cosines[i]) if j != i][:10]} for i, a in enumerate(ids)}
    expected = {a: {b for b in near[a] if a in near[b]} for a in queries}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_ROWS_AT_ONCE", rows_at_once)
        found = frozen_neighbours(ids, features, queries)
    assert {a: set(others) for a, others in found.items()} == {a: others for a, others in expected.items() if others}


def test_the_figure_is_the_share_of_neighbours_among_as_many_answers():
    ids = list("abcd")
    near = directions(0, 10, 20, 90)
    torn = directions(0, 100, 90, 20)  # a finds d first, then c, then b
    evidence = frozen_neighbour_evidence(PAIR, ids, {"new": torn, "used": near}, {"a": ["b", "c"], "b": ["a"]})
    # Of a's first two answers one is a neighbour; b finds c, which is none, before a.
    assert (evidence.new, evidence.used) == (0.25, 1.0)
    assert (evidence.gain.mean, evidence.gain.n) == (-0.75, 2)
