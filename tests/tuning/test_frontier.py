"""The unbeaten and the cheapest measurement: worked by hand, and compared with the definition."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from vsearch_lib.artefact.gate_report import Recall
from vsearch_lib.tuning.frontier import cheapest, most_exact, unbeaten
from vsearch_lib.tuning.measurement import Measured


@dataclass(frozen=True)
class Item:
    name: str
    measured: Measured


def item(name: str, recall: float, ms: float) -> Item:
    return Item(name, Measured(Recall(recall, 0.01), ms, 2 * ms))


ITEMS = [item("poor", 0.5, 0.1), item("good", 0.96, 0.4), item("better", 0.97, 0.3), item("best", 0.99, 2.0)]


def test_the_cheapest_is_the_fastest_of_those_that_recall_enough():
    assert cheapest(ITEMS, min_recall=0.95).name == "better"
    assert cheapest(ITEMS, min_recall=0.97).name == "better"
    assert cheapest(ITEMS, min_recall=0.98).name == "best"
    assert cheapest(ITEMS, min_recall=0.1).name == "poor"


def test_if_no_item_recalls_enough_there_is_no_cheapest():
    assert cheapest(ITEMS, min_recall=0.995) is None
    assert cheapest([], min_recall=0.1) is None


def test_of_equally_fast_items_the_more_exact_is_cheapest_and_the_reverse_for_the_most_exact():
    same = [item("a", 0.96, 0.3), item("b", 0.98, 0.3), item("c", 0.98, 0.2)]
    assert cheapest(same[:2], min_recall=0.9).name == "b"
    assert most_exact(same).name == "c"


def test_an_item_that_another_beats_is_left_out():
    #        the fastest, beaten by the first, two equal ones, beaten by these in one cost only
    costs = [(1, 5), (2, 5), (3, 2), (3, 2), (4, 2)]
    assert unbeaten(costs) == [True, False, True, True, False]


def test_an_item_that_is_best_in_one_cost_is_unbeaten():
    assert unbeaten([(9, 9, 1), (1, 1, 2)]) == [True, True]
    assert unbeaten([]) == []


@given(st.lists(st.tuples(*[st.integers(0, 5)] * 3), max_size=12))
def test_each_item_that_is_left_out_is_beaten_by_one_that_is_kept(costs):
    kept = unbeaten(costs)
    for cost, is_kept in zip(costs, kept, strict=True):
        better = [o for o, k in zip(costs, kept, strict=True) if k and o != cost and all(map(int.__le__, o, cost))]
        assert bool(better) is not is_kept
