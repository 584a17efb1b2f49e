"""A curve loses the bends that may be chance, and keeps those that are not."""

from __future__ import annotations

import numpy as np
import pytest

from vsearch_lib.examples.propensity.smooth import smoothed

POSITIONS = np.arange(1, 11)
POWER = POSITIONS**-0.9
FOLD = np.where(POSITIONS <= 4, 1.0, 0.4) * POSITIONS**-0.2


def independent(errors: np.ndarray) -> np.ndarray:
    return np.diag(errors**2)


@pytest.mark.parametrize("curve", [POWER, FOLD], ids=["power", "fold"])
def test_a_curve_that_is_certain_stays(curve):
    log, errors = smoothed(POSITIONS, curve, independent(np.full(10, 1e-4)))
    np.testing.assert_allclose(np.exp(log), curve, rtol=0.01)
    assert errors.max() < 0.01


def test_position_1_is_certain():
    log, errors = smoothed(POSITIONS, POWER * np.array([1, *[1.2] * 9]), independent(np.full(10, 0.2)))
    assert (log[0], errors[0]) == (0, 0)


def test_of_a_noisy_power_law_most_noise_is_removed():
    rng, error = np.random.default_rng(1), np.array([0, *np.linspace(0.02, 0.12, 9)])
    before, after = [], []
    for _ in range(40):
        noisy = POWER * np.exp(rng.normal(0, error))
        log, _ = smoothed(POSITIONS, noisy, independent(error))
        before.append(np.abs(noisy / POWER - 1).max())
        after.append(np.abs(np.exp(log) / POWER - 1).max())
    assert np.median(after) < 0.6 * np.median(before)


def test_a_fold_of_the_page_is_not_smoothed_away_and_its_interval_holds():
    """The error of a smoothed fold is no larger than without smoothing, and nine of ten intervals hold the truth."""
    rng, error = np.random.default_rng(2), np.array([0, *np.full(9, 0.05)])
    before, after, held = [], [], []
    for _ in range(40):
        noisy = FOLD * np.exp(rng.normal(0, error))
        log, errors = smoothed(POSITIONS, noisy, independent(error))
        before.append(np.abs(noisy / FOLD - 1).max())
        after.append(np.abs(np.exp(log) / FOLD - 1).max())
        held.append(np.abs(log - np.log(FOLD))[1:] <= 1.96 * errors[1:])
    assert np.median(after) <= 1.05 * np.median(before)
    assert np.mean(held) > 0.9
