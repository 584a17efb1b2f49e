"""Permutation tests: exact p-values, units that stay together, and Holm's correction as scipy and by hand."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from vsearch_lib.measure.monitoring.permutation import Divisions, can_be_tested, holm, p_value


def divided(is_new: list[bool], units: list[str], permutations: int = 200) -> Divisions:
    return Divisions(np.array(is_new), units, permutations=permutations, seed=1)


def test_the_observed_division_comes_first_and_the_others_have_as_many_new_units():
    division = divided([True] * 3 + [False] * 5, list("abcdefgh"))
    assert division.new.shape == (201, 8)
    assert division.new[0].tolist() == [1, 1, 1, 0, 0, 0, 0, 0]
    assert (division.new_counts == 3).all()
    assert (division.earlier_counts == 5).all()
    assert len({tuple(row) for row in division.new}) > 40  # of 56


def test_rows_of_a_unit_stay_together():
    new = divided([True, True, True, False, False, False], ["a", "a", "b", "c", "c", "d"]).new
    assert (new[:, 0] == new[:, 1]).all()
    assert (new[:, 3] == new[:, 4]).all()
    # Two of four units are new: from two to four rows.
    assert set(new.sum(axis=1)) == {2, 3, 4}


def test_a_unit_on_both_sides_is_an_error():
    with pytest.raises(ValueError, match="new and earlier"):
        divided([True, False], ["a", "a"])


@pytest.mark.parametrize("is_new", [[True, True], [False, False]])
def test_a_side_without_rows_is_an_error(is_new):
    with pytest.raises(ValueError, match="no new rows"):
        divided(is_new, ["a", "b"])


def test_divisions_of_some_rows_count_only_those():
    part = divided([True, True, False, False], list("abcd")).of(np.array([True, False, True, True]))
    assert part.new.shape == (201, 3)
    assert (part.new_counts[0], part.earlier_counts[0]) == (1, 2)
    assert (part.new_counts + part.earlier_counts == 3).all()


@pytest.mark.parametrize(("new", "earlier", "permutations", "enough"), [(2, 2, 5, True), (2, 2, 6, False)])
def test_there_must_be_more_ways_to_divide_than_permutations(new, earlier, permutations, enough):
    # Of 4 units 2 can be chosen in 6 ways; more rows of the same units do not help.
    units = [f"new {i // 2}" for i in range(2 * new)] + [f"old {i}" for i in range(earlier)]
    is_new = np.array([True] * 2 * new + [False] * earlier)
    assert can_be_tested(is_new, units, permutations=permutations) == enough


def test_a_p_value_counts_permutations_with_as_large_a_statistic_and_the_observed_one():
    assert p_value(np.array([2.0, 1.0, 3.0, 2.0, 0.0])) == pytest.approx(3 / 5)
    assert p_value(np.array([9.0] + [1.0] * 999)) == pytest.approx(1 / 1000)


def test_equal_statistics_are_as_large_whatever_rounding_does_and_so_are_undefined_ones():
    assert p_value(np.array([0.3, 0.1 + 0.2, 0.3 - 1e-12])) == 1
    assert p_value(np.array([0.3, np.nan, 0.0])) == pytest.approx(2 / 3)
    assert p_value(np.array([np.nan, 0.0, 0.0])) == 1


def test_holm_multiplies_the_smallest_p_value_by_all_tests_and_the_next_by_fewer():
    # The example of Holm's step-down: 4 × .01, 3 × .02 and 2 × .03 (the larger counts), 1 × .5.
    assert holm([0.02, 0.01, 0.5, 0.03]) == pytest.approx([0.06, 0.04, 0.5, 0.06])
    assert holm([0.6, 0.7]) == [1.0, 1.0]
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8), st.floats(0.01, 0.99))
def test_holm_rejects_what_its_definition_rejects(p_values, rate):
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    passed = itertools.takewhile(lambda rank: (len(order) - rank) * p_values[order[rank]] <= rate, range(len(order)))
    rejected = {order[rank] for rank in passed}
    assert {test for test, p in enumerate(holm(p_values)) if p <= rate} == rejected


def false_alarms(units_of, nights: int) -> int:
    """Nights on which the difference of means is significant at 5 %, for rows that are alike within an owner."""
    alarms = 0
    for night in range(nights):
        rng = np.random.default_rng(night)
        owners = np.repeat(np.arange(20), 10)
        values = rng.normal(size=20)[owners] + 0.1 * rng.normal(size=200)
        is_new = owners < 6
        division = Divisions(is_new, units_of(owners), permutations=99, seed=night)
        means = division.new @ values / division.new_counts[:, 0]
        others = (1 - division.new) @ values / division.earlier_counts[:, 0]
        alarms += p_value(np.abs(means - others)) <= 0.05
    return alarms


def test_owners_with_alike_rows_are_no_false_alarm_unless_rows_are_permuted_one_by_one():
    together = false_alarms(lambda owners: [str(owner) for owner in owners], nights=200)
    assert binomtest(together, 200).proportion_ci(confidence_level=0.99).low <= 0.05
    alone = false_alarms(lambda owners: [str(row) for row in range(len(owners))], nights=50)
    assert alone > 20
