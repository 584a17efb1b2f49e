"""What is worth having: hand-worked, and against the definition."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from vsearch_lib.artefact.gate_report import Recall
from vsearch_lib.tuning.frontier import cheapest, most_exact, unbeaten
from vsearch_lib.tuning.measurement import Measured


@dataclass(frozen=True)
class Thing:
    name: str
    measured: Measured


def thing(name: str, recall: float, ms: float) -> Thing:
    return Thing(name, Measured(Recall(recall, 0.01), ms, 2 * ms))


THINGS = [thing("poor", 0.5, 0.1), thing("good", 0.96, 0.4), thing("better", 0.97, 0.3), thing("best", 0.99, 2.0)]


def test_the_cheapest_is_the_fastest_of_those_that_recall_enough():
    assert cheapest(THINGS, min_recall=0.95).name == "better"
    assert cheapest(THINGS, min_recall=0.97).name == "better"
    assert cheapest(THINGS, min_recall=0.98).name == "best"
    assert cheapest(THINGS, min_recall=0.1).name == "poor"


def test_where_none_recalls_enough_there_is_no_cheapest():
    assert cheapest(THINGS, min_recall=0.995) is None
    assert cheapest([], min_recall=0.1) is None


def test_of_equally_fast_ones_the_more_exact_is_taken_and_the_other_way_round():
    same = [thing("a", 0.96, 0.3), thing("b", 0.98, 0.3), thing("c", 0.98, 0.2)]
    assert cheapest(same[:2], min_recall=0.9).name == "b"
    assert most_exact(same).name == "c"


def test_what_another_beats_in_everything_is_left_out():
    #        alone fastest, beaten by the first, equal twins, beaten by a twin in one cost only
    costs = [(1, 5), (2, 5), (3, 2), (3, 2), (4, 2)]
    assert unbeaten(costs) == [True, False, True, True, False]


def test_one_cost_in_which_it_is_best_is_enough():
    assert unbeaten([(9, 9, 1), (1, 1, 2)]) == [True, True]
    assert unbeaten([]) == []


@given(st.lists(st.tuples(*[st.integers(0, 5)] * 3), max_size=12))
def test_what_is_left_out_is_beaten_by_something_that_is_kept(costs):
    kept = unbeaten(costs)
    for cost, is_kept in zip(costs, kept, strict=True):
        better = [o for o, k in zip(costs, kept, strict=True) if k and o != cost and all(map(int.__le__, o, cost))]
        assert bool(better) is not is_kept
