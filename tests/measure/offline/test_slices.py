"""Slices have t-intervals, groups are compared with all other queries, and small slices have no figure."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from vsearch_lib.measure.offline.slices import Sums, slice_figures, sums_of_slices


def figures(values, slices, *, min_queries=2):
    sums = sums_of_slices(values, slices)
    return slice_figures("ndcg_at_10", sums, subject="published index", min_queries=min_queries)


def test_slices_are_the_worst_first_with_the_interval_of_the_t_test():
    good, bad = [0.9, 0.8, 1.0, 0.7], [0.1, 0.3, 0.2]
    found = figures([*good, *bad], [["tag: mug"]] * 4 + [["tag: cup"]] * 3)
    assert [(figure.slice, figure.n) for figure in found] == [("tag: cup", 3), ("tag: mug", 4)]
    expected = stats.ttest_1samp(bad, 0).confidence_interval()
    assert found[0].value == pytest.approx(0.2)
    assert (found[0].low, found[0].high) == pytest.approx((expected.low, expected.high))


def test_a_query_counts_in_each_of_its_slices():
    found = figures([1.0, 0.5], [["tag: mug", "quality: dark"], ["tag: mug", "quality: dark"]])
    assert {(figure.slice, figure.value, figure.n) for figure in found} == {
        ("tag: mug", 0.75, 2),
        ("quality: dark", 0.75, 2),
    }


def test_a_slice_with_too_few_queries_says_so_in_place_of_a_number():
    found = figures([1.0, 0.5, 0.25], [["tag: a"], ["tag: a"], ["tag: b"]])
    (few,) = [figure for figure in found if figure.slice == "tag: b"]
    assert (few.metric, few.value) == ("too_few_queries", 1)


@settings(deadline=None, max_examples=50)
@given(
    a=st.lists(st.floats(0, 1), min_size=2, max_size=20),
    b=st.lists(st.floats(0, 1), min_size=2, max_size=20),
)
def test_the_gap_of_two_groups_is_that_of_welchs_test(a, b):
    a, b = [0.0, 1.0, *a], [0.0, 1.0, *b]
    found = figures([*a, *b], [["country: DE"]] * len(a) + [["country: FR"]] * len(b))
    gaps = {figure.slice: figure for figure in found if figure.metric == "ndcg_at_10_gap"}
    expected = stats.ttest_ind(a, b, equal_var=False).confidence_interval(0.975)  # two groups: 1 - .05 / 2
    assert gaps["country: DE"].value == pytest.approx(np.mean(a) - np.mean(b), abs=1e-9)
    assert gaps["country: FR"].value == pytest.approx(np.mean(b) - np.mean(a), abs=1e-9)
    assert (gaps["country: DE"].low, gaps["country: DE"].high) == pytest.approx((expected.low, expected.high), abs=1e-6)


def test_a_group_is_compared_with_all_other_queries_of_its_attribute():
    values = [0.1, 0.2, 0.8, 0.9, 0.7, 0.6]
    slices = [["country: DE"]] * 2 + [["country: FR"]] * 2 + [["country: NL"]] * 2
    gaps = {f.slice: f.value for f in figures(values, slices) if f.metric == "ndcg_at_10_gap"}
    assert gaps["country: DE"] == pytest.approx(0.15 - 0.75)
    assert list(gaps) == ["country: DE", "country: NL", "country: FR"]


def test_tags_overlap_and_have_no_gap():
    assert [f.metric for f in figures([1.0, 0.5], [["tag: a"], ["tag: a"]])] == ["ndcg_at_10"]


def test_a_group_without_enough_others_has_no_gap():
    found = figures([1.0, 0.5, 0.2], [["gender: f"], ["gender: f"], ["gender: m"]])
    assert [figure.metric for figure in found] == ["ndcg_at_10", "too_few_queries"]


def test_groups_that_are_served_alike_are_called_so_in_95_percent_of_the_samples():
    rng = np.random.default_rng(3)
    slices = [[f"country: {n % 5}"] for n in range(150)]
    false_alarms = 0
    for _ in range(400):
        gaps = [f for f in figures(rng.beta(4, 2, 150), slices) if f.metric == "ndcg_at_10_gap"]
        false_alarms += any(gap.low > 0 or gap.high < 0 for gap in gaps)
    assert false_alarms / 400 <= 0.07


def test_values_that_are_all_equal_have_no_interval():
    (figure,) = figures([0.5, 0.5], [["tag: a"]] * 2)
    assert (figure.value, figure.low, figure.high) == (0.5, None, None)


def test_sums_can_be_added_up_in_parts():
    assert Sums(2, 1.0, 0.75) + Sums(1, 0.5, 0.25) - Sums(2, 1.0, 0.75) == Sums(1, 0.5, 0.25)
