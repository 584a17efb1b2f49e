"""Weights, the effective sample size and the relevance of pairs have the stated values."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsearch_lib.examples.propensity import (
    Counts,
    Examination,
    effective_sample_size,
    estimate_examination,
    examination_at,
    inverse_propensity,
    relevance,
)


def curve_of(positions: list[int], curve: list[float], accident: float = 0.0) -> Examination:
    values, nothing = np.array(curve), np.zeros(len(curve), dtype=np.int64)
    return Examination("randomised", np.array(positions), values, values, values, accident, nothing, nothing)


def test_a_click_weighs_the_inverse_of_examination_up_to_the_limit():
    weights = inverse_propensity(curve_of([1, 2, 3], [1, 0.5, 0.1]), np.array([3, 1, 2, 2]), max_weight=5)
    assert weights.tolist() == [5, 1, 2, 2]


def test_a_position_that_was_not_estimated_weighs_like_the_nearest_one_above():
    curve, positions = curve_of([1, 3], [1, 0.25]), np.array([2, 4, 1000])
    assert inverse_propensity(curve, positions, max_weight=10).tolist() == [1, 4, 4]
    assert examination_at(curve, positions).tolist() == [1, 0.25, 0.25]


def test_a_position_that_nobody_examines_has_the_largest_weight():
    assert inverse_propensity(curve_of([1, 2], [1, 0]), np.array([2]), max_weight=7).tolist() == [7]


def test_without_an_estimate_every_click_weighs_1():
    nothing = estimate_examination(Counts(*(np.empty(0, dtype=np.int64),) * 8), min_clicks=1)
    assert inverse_propensity(nothing, np.array([1, 5, 80]), max_weight=10).tolist() == [1, 1, 1]


@given(
    curve=st.lists(st.floats(0, 1), max_size=9),
    position=st.lists(st.integers(1, 20)),
    max_weight=st.floats(1, 1000),
)
def test_weights_are_from_1_to_the_limit(curve, position, max_weight):
    examination = curve_of(list(range(1, len(curve) + 2)), [1.0, *curve])
    weights = inverse_propensity(examination, np.array(position, dtype=np.int64), max_weight=max_weight)
    assert weights.shape == (len(position),)
    assert ((weights >= 1) & (weights <= max_weight * (1 + 1e-12))).all()


def test_a_limit_below_1_is_refused():
    for limit in (0.5, float("nan")):
        with pytest.raises(ValueError, match="give 1 or more"):
            inverse_propensity(curve_of([1], [1]), np.array([1]), max_weight=limit)


def test_the_effective_sample_size_is_kishs():
    assert effective_sample_size(np.array([1.0, 1.0, 2.0])) == pytest.approx(16 / 6)
    assert effective_sample_size(np.full(7, 3.0)) == pytest.approx(7)
    assert effective_sample_size(np.array([])) == 0
    assert effective_sample_size(np.zeros(3)) == 0


def counts(*rows: tuple[int, int, int, int]) -> Counts:
    """Make counts of rows of pair, position, impressions and clicks."""
    pair, position, impressions, clicks = (np.array(column) for column in zip(*rows, strict=True))
    nothing = np.zeros_like(pair)
    return Counts(pair, nothing, position, nothing, nothing, nothing.astype(bool), impressions, clicks)


def test_relevance_is_clicks_without_accidents_over_examined_impressions_with_the_ranking_as_prior():
    # Accidents 0.1; examination 1 and 0.5. Of 100 impressions each, 46 are clicked at position 1 and 28
    # at position 2: the mean relevance is (0.46 - 0.1) / 0.9 = (0.28 - 0.1) / 0.9 / 0.5 = 0.4 at both.
    log = counts((9, 1, 40, 20), (4, 1, 60, 26), (4, 2, 20, 3), (6, 2, 80, 25))
    pairs, found = relevance(log, curve_of([1, 2], [1, 0.5], accident=0.1))
    assert pairs.tolist() == [4, 6, 9]
    expected = [
        ((29 - 8) / 0.9 + 30 * 0.4) / (60 + 10 + 30),
        ((25 - 8) / 0.9 + 30 * 0.4) / (40 + 30),
        ((20 - 4) / 0.9 + 30 * 0.4) / (40 + 30),
    ]
    np.testing.assert_allclose(found, expected)


def test_a_pair_that_was_hardly_shown_has_the_relevance_of_its_positions():
    log = counts((1, 1, 1000, 600), (2, 2, 1000, 100), (3, 1, 1, 0), (4, 2, 1, 0))
    _, found = relevance(log, curve_of([1, 2], [1, 0.5]))
    np.testing.assert_allclose(found, [0.6, 0.2, 30 * 0.6 / 31, 30 * 0.2 / 30.5], rtol=0.02)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(1, 4), st.integers(1, 50), st.floats(0, 1)), min_size=1))
def test_relevance_is_from_0_to_1(rows):
    log = counts(*((pair, position, shown, int(share * shown)) for pair, position, shown, share in rows))
    _, found = relevance(log, curve_of([1, 2, 3], [1, 0.3, 0], accident=0.05))
    assert ((found >= 0) & (found <= 1)).all()
