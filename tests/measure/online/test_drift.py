"""Drift: nothing where nothing changed, and more the further vectors move."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsearch_lib.measure.online.drift import drift_figures, energy_distance


def around(centre: int, count: int, seed: int, noise: float = 0.2) -> np.ndarray:
    vectors = np.random.default_rng(seed).normal(0, noise, (count, 8)).astype(np.float32)
    vectors[:, centre] += 1
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_an_energy_distance_worked_out_by_hand():
    east_and_north = np.array([[1, 0], [0, 1]], dtype=np.float32)
    # Between them (2 + 2 + √2 + √2) / 4, within each √2.
    assert energy_distance(east_and_north, -east_and_north) == pytest.approx(2 + 2**0.5 - 2 * 2**0.5, abs=1e-6)


@given(st.integers(0, 1000))
def test_the_distance_is_near_zero_only_within_one_distribution(seed):
    same = energy_distance(around(0, 60, seed), around(0, 40, seed + 5000))
    other = energy_distance(around(0, 60, seed), around(1, 40, seed + 5000))
    assert abs(same) < 0.05
    assert other > 0.5


@given(st.integers(0, 1000))
def test_the_distance_is_symmetric(seed):
    a, b = around(0, 20, seed), around(3, 30, seed + 1)
    assert energy_distance(a, b) == pytest.approx(energy_distance(b, a), abs=1e-6)


def test_one_row_has_no_distance():
    with pytest.raises(ValueError, match="two rows"):
        energy_distance(around(0, 1, 1), around(0, 5, 2))


def test_drift_comes_with_the_distance_that_chance_gives():
    figures = drift_figures("uploads", around(1, 50, 1), around(0, 30, 2))
    assert [(f.subject, f.slice, f.n) for f in figures] == [("uploads", "all", 80), ("uploads", "by chance", 30)]
    assert figures[0].value > 10 * abs(figures[1].value)


@pytest.mark.parametrize(("new", "before"), [(0, 50), (1, 50), (50, 3), (50, 0)])
def test_too_few_vectors_give_no_figures(new, before):
    assert drift_figures("uploads", around(0, new, 1), around(0, before, 2)) == []
