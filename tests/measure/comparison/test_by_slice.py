"""A difference is shown by slice, and so are the queries that it moves."""

from __future__ import annotations

import numpy as np
import pytest

from vsearch_lib.measure.comparison.by_slice import gain_of_each, gains_of, moved_most
from vsearch_lib.measure.comparison.evidence import JUDGED, Pair
from vsearch_lib.measure.offline.ranking import Values


@pytest.fixture
def evidence():
    """Six queries, of which the last three are worse with the new model."""
    queries = [f"q{n}" for n in range(6)]
    new, old = np.array([0.9, 0.8, 0.9, 0.2, 0.1, 0.2]), np.array([0.5, 0.5, 0.5, 0.5, 0.5, 0.6])
    values = {"m2": Values(queries, {"ndcg_at_10": new}), "m1": Values(queries, {"ndcg_at_10": old})}
    return Pair("m2", "m1", 1).evidence(JUDGED, "ndcg_at_10", values)


def test_a_model_that_is_equal_on_the_whole_may_be_worse_on_a_slice(evidence):
    slices = {f"q{n}": ["tag: mug"] if n < 3 else ["tag: cup"] for n in range(6)}
    worst, best = gains_of(evidence, slices, min_queries=3)
    assert (worst.metric, worst.subject, worst.slice, worst.n) == ("ndcg_at_10_gain", "model m2 over m1", "tag: cup", 3)
    assert worst.value == pytest.approx(-1.1 / 3)
    assert worst.high < 0 < best.low
    assert best.value == pytest.approx(1.1 / 3)


def test_slices_of_few_queries_have_no_gain(evidence):
    assert gains_of(evidence, {"q0": ["tag: mug"]}, min_queries=2) == []


def test_the_queries_that_lost_most_come_first_then_those_that_gained_most(evidence):
    assert moved_most(gain_of_each(evidence), count=2) == ["q4", "q5", "q0", "q2"]


def test_queries_that_did_not_move_are_not_shown():
    assert moved_most({"a": 0.0, "b": -0.1, "c": 0.0}, count=2) == ["b"]
    assert moved_most({"a": 0.0}, count=2) == []
