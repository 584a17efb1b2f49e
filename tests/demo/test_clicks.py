"""The click models behave as their docstring says."""

from __future__ import annotations

import numpy as np
import pytest

from vsearch_lib.demo.clicks import ACCIDENT, ATTRACTION, ETA, SATISFACTION, click_probability, draw_clicks, dwell_ms

PAGES = 40_000
PAGE = np.array([3, 5, 0, 4, 1, 2, 5, 3, 0, 4])


def rates(model: str) -> np.ndarray:
    """Return the click rate at each position of PAGES equal pages."""
    return draw_clicks(np.random.default_rng(3), np.tile(PAGE, (PAGES, 1)), model=model).mean(axis=0)


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


def test_trust_makes_an_irrelevant_picture_more_attractive_at_the_top():
    # Grade 0 attracts 3 %; trust adds 0.97 * 0.3 / position. Position 2 is examined with 2 ** -0.9 = 0.535887.
    top, second = click_probability(np.array([1, 2]), np.array([0, 0]), model="trust")
    assert top == pytest.approx(1 - (1 - (0.03 + 0.97 * 0.3)) * 0.99)
    assert second == pytest.approx(1 - (1 - 0.535887 * (0.03 + 0.97 * 0.15)) * 0.99, abs=1e-6)


@pytest.mark.parametrize("model", ["position", "trust"])
def test_pages_are_clicked_with_the_stated_probability(model):
    expected = click_probability(np.arange(1, 11), PAGE, model=model)
    np.testing.assert_allclose(rates(model), expected, atol=4 * 0.5 / PAGES**0.5)


def test_in_a_cascade_a_position_is_read_unless_a_click_above_satisfied():
    expected, reads = [], 1.0
    for grade in PAGE:
        expected.append(1 - (1 - reads * ATTRACTION[grade]) * (1 - ACCIDENT))
        reads *= 1 - ATTRACTION[grade] * SATISFACTION[grade]
    np.testing.assert_allclose(rates("cascade"), expected, atol=4 * 0.5 / PAGES**0.5)


def test_nothing_but_an_accident_follows_a_click_on_the_same_design_in_a_cascade():
    clicked = draw_clicks(np.random.default_rng(4), np.full((PAGES, 10), 5), model="cascade")
    satisfied = clicked[:, 0] & (clicked.sum(axis=1) >= 1)
    assert clicked[satisfied, 1:].mean() < 2 * ACCIDENT


def test_higher_grades_are_clicked_more_and_looked_at_longer():
    rng = np.random.default_rng(2)
    probability = click_probability(np.ones(6, dtype=int), np.arange(6))
    assert (np.diff(probability) > 0).all()
    medians = [np.median(dwell_ms(rng, np.full(4000, grade))) for grade in range(6)]
    assert (np.diff(medians) > 0).all()
