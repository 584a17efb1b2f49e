"""Distances of new and earlier rows, against scipy, by hand, and against a plain sum over pairs."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import cdist
from scipy.stats import ks_2samp

from vsearch_lib.measure.monitoring.distances import energy_distances, largest_gaps, share_changes
from vsearch_lib.measure.monitoring.permutation import Divisions


def divided(new: int, earlier: int, permutations: int = 3, seed: int = 1) -> Divisions:
    is_new = np.array([True] * new + [False] * earlier)
    return Divisions(is_new, [str(row) for row in range(len(is_new))], permutations=permutations, seed=seed)


def unit_vectors(rows: int, seed: int, dimension: int = 8) -> np.ndarray:
    vectors = np.random.default_rng(seed).normal(size=(rows, dimension)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@given(st.lists(st.integers(0, 6), min_size=4, max_size=40), st.integers(1, 3), st.integers(0, 99))
def test_the_largest_gap_is_that_of_kolmogorov_and_smirnov_also_with_equal_values(values, new, seed):
    division = divided(new, len(values) - new, seed=seed)
    numbers = np.array(values, dtype=np.float64)
    expected = [ks_2samp(numbers[row == 1], numbers[row == 0]).statistic for row in division.new]
    assert largest_gaps(numbers, division) == pytest.approx(expected, abs=1e-6)


def test_a_share_that_doubles_by_hand():
    # Of 4 new rows 2 have the word, of 8 earlier ones 2: .5 and .25, together 1/3.
    occurs = np.array([[True], [True], [False], [False], [True], [True], *[[False]] * 6])
    changes, standard = share_changes(occurs, divided(4, 8))
    assert changes[0, 0] == pytest.approx(0.25)
    assert standard[0, 0] == pytest.approx(0.25 / (1 / 3 * 2 / 3 * (1 / 4 + 1 / 8)) ** 0.5)


def test_a_word_that_all_rows_have_has_not_changed():
    changes, standard = share_changes(np.ones((5, 1), dtype=bool), divided(2, 3))
    assert (changes == 0).all()
    assert (standard == 0).all()


def test_an_energy_distance_worked_out_by_hand():
    east, north = [1, 0], [0, 1]
    vectors = np.array([east, north, [-1, 0], [0, -1]], dtype=np.float32)
    # Between them (2 + 2 + √2 + √2) / 4, within each √2.
    assert energy_distances(vectors, divided(2, 2))[0] == pytest.approx(2 + 2**0.5 - 2 * 2**0.5, abs=1e-6)


@given(st.integers(2, 12), st.integers(2, 12), st.integers(0, 999))
def test_every_division_has_the_energy_distance_of_its_pairs(new, earlier, seed):
    vectors, division = unit_vectors(new + earlier, seed), divided(new, earlier, permutations=4, seed=seed)
    for row, found in zip(division.new, energy_distances(vectors, division), strict=True):
        a, b = (vectors[row == side].astype(np.float64) for side in (1, 0))
        within = [cdist(x, x).sum() / (len(x) * (len(x) - 1)) for x in (a, b)]
        assert found == pytest.approx(2 * cdist(a, b).mean() - sum(within), abs=1e-4)


def test_one_row_has_no_energy_distance():
    assert np.isnan(energy_distances(unit_vectors(4, 1), divided(1, 3))).all()
