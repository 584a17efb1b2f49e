"""The first answers pull a query towards them, by the cubes of their cosines."""

from __future__ import annotations

import numpy as np
import pytest

from vsearch_lib.serving.expansion import expanded


def test_a_query_and_one_answer_are_added_by_the_cube_of_their_cosine():
    query = np.array([1, 0], np.float32)
    answer = np.array([[0.8, 0.6]], np.float32)
    # (1, 0) + .8³·(.8, .6) = (1.4096, .3072)
    expected = np.array([1.4096, 0.3072]) / np.hypot(1.4096, 0.3072)
    result = expanded(query, answer, np.array([0.8], np.float32))
    assert result.dtype == np.float32
    np.testing.assert_allclose(result, expected, atol=1e-6)


def test_two_answers_at_equal_angles_on_both_sides_leave_the_query_as_it_is():
    query = np.array([1, 0, 0], np.float32)
    answers = np.array([[0.6, 0.8, 0], [0.6, -0.8, 0]], np.float32)
    np.testing.assert_allclose(expanded(query, answers, np.full(2, 0.6, np.float32)), query, atol=1e-6)


def test_an_answer_unlike_the_query_changes_nothing():
    query = np.array([1, 0], np.float32)
    answers = np.array([[-1, 0], [0, 1]], np.float32)
    np.testing.assert_array_equal(expanded(query, answers, np.array([-1, 0], np.float32)), query)


def test_without_answers_the_query_stays():
    query = np.array([0.6, 0.8], np.float32)
    np.testing.assert_allclose(expanded(query, np.zeros((0, 2), np.float32), np.zeros(0, np.float32)), query, atol=1e-6)


def test_the_third_of_three_alike_is_found_by_way_of_the_second():
    """From 0°, a wrong image at 41° the other way is nearer than a right one at 50°, which follows one at 25°."""
    query, near, far, wrong = (np.array([np.cos(a), np.sin(a)], np.float32) for a in np.radians([0, 25, 50, -41]))
    assert query @ wrong > query @ far
    better = expanded(query, near[None], np.array([query @ near]))
    assert better @ far > better @ wrong
    assert np.linalg.norm(better) == pytest.approx(1, abs=1e-6)
