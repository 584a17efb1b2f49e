"""The click model behaves as its docstring says."""

from __future__ import annotations

import numpy as np
import pytest

from vsearch_lib.demo.clicks import ACCIDENT, ATTRACTION, ETA, click_probability, dwell_ms


@pytest.mark.parametrize("grade", range(6))
def test_position_1_is_clicked_more_than_position_10_at_equal_grade(grade):
    rng = np.random.default_rng(1)
    draws = 40_000
    top, bottom = (
        (rng.random(draws) < click_probability(np.full(draws, position), np.full(draws, grade))).mean()
        for position in (1, 10)
    )
    assert top > bottom


def test_inverse_propensity_weights_recover_attraction_at_every_position():
    positions = np.arange(1, 11)
    for grade, attraction in enumerate(ATTRACTION):
        by_accident_removed = 1 - (1 - click_probability(positions, np.full(10, grade))) / (1 - ACCIDENT)
        np.testing.assert_allclose(by_accident_removed * positions**ETA, attraction)


def test_higher_grades_are_clicked_more_and_looked_at_longer():
    rng = np.random.default_rng(2)
    probability = click_probability(np.ones(6, dtype=int), np.arange(6))
    assert (np.diff(probability) > 0).all()
    medians = [np.median(dwell_ms(rng, np.full(4000, grade))) for grade in range(6)]
    assert (np.diff(medians) > 0).all()
