"""A stratum says how relevant a pair is, and knows nothing of the clicks that are counted in it."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from vsearch_lib.examples.propensity.strata import STRATA, strata

PAIRS, PLACES = 12, 3
PAIR, HALF, PLACE = (axis.ravel() for axis in np.mgrid[:PAIRS, :2, :PLACES])
SHOWN = np.full(len(PAIR), 10)
clicks = arrays(np.int64, len(PAIR), elements=st.integers(0, 10))


def strata_of(clicked):
    return strata(PAIR, HALF, PLACE, SHOWN, clicked)


@given(clicks, clicks)
def test_the_clicks_of_a_half_do_not_change_its_own_strata(clicked, other):
    changed = np.where(HALF == 0, other, clicked)
    np.testing.assert_array_equal(strata_of(clicked)[HALF == 0], strata_of(changed)[HALF == 0])


@given(clicks)
def test_a_pair_with_more_clicks_at_every_position_is_never_in_a_lower_stratum(clicked):
    table = clicked.reshape(PAIRS, 2, PLACES)
    table[1] = np.maximum(table[1], table[0])
    found = strata_of(table.ravel()).reshape(PAIRS, 2, PLACES)
    assert (found[1] >= found[0]).all()


def test_pairs_are_ordered_by_clicks_over_those_expected_at_their_positions():
    # In half 1, pair 0 is at position 1 and pair 1 at position 2. Position 1 gets 50 clicks of 100, position 2 gets 10
    # of 100; the other pairs make up the rest. Pair 0 has 4 of 5 expected clicks, pair 1 has 2 of 1.
    pair, place = np.array([0, 1, 2, 3]), np.array([0, 1, 0, 1])
    half, shown, clicked = np.array([1, 1, 1, 1]), np.array([10, 10, 90, 90]), np.array([4, 2, 46, 8])
    own_half = (np.append(pair, [0, 1]), np.append(half, [0, 0]), np.append(place, [0, 0]))
    found = strata(*own_half, np.append(shown, [1, 1]), np.append(clicked, [0, 0]))
    assert found[-2] < found[-1]


def test_strata_are_about_equally_large():
    clicked = np.repeat(np.arange(PAIRS) % 11, 2 * PLACES)
    assert np.bincount(strata_of(clicked)).tolist() == [len(PAIR) // STRATA] * STRATA


def test_without_clicks_there_is_one_stratum():
    assert len(set(strata_of(np.zeros_like(PAIR)).tolist())) == 1
