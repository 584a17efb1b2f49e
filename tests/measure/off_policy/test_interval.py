"""The interval holds the true click rate in 95 % of simulated logs, and agrees with Wilson's where his applies."""

import numpy as np
import pytest
from scipy.stats import binomtest

from benchmarks.off_policy import UNIFORM, simulated_logs, usual_interval
from vsearch_lib.measure.off_policy.click_rates import cross_fitted
from vsearch_lib.measure.off_policy.estimators import doubly_robust, inverse_propensity, self_normalised
from vsearch_lib.measure.off_policy.interval import score_interval

Z_SQUARED = 3.841459  # the 95 % quantile of chi-square with one degree of freedom


def interval(weight, reward, estimated=0.0, expected=0.0):
    rows = np.broadcast_arrays(np.array(weight, float), np.array(reward, float), estimated, expected)
    return score_interval(**dict(zip(("weight", "reward", "estimated", "expected"), rows, strict=True)))


@pytest.fixture(scope="module")
def coverage():
    """The share of 500 simulated logs in which each interval holds the true click rate."""
    held = []
    for log, truth in simulated_logs(500, seed=0):
        rows = log.reward, log.propensity, UNIFORM[log.position, log.item]
        model = cross_fitted(log.reward, log.item, log.position, UNIFORM, seed=0)
        found = [
            inverse_propensity(*rows),
            self_normalised(*rows),
            doubly_robust(*rows, model.estimated, model.expected),
        ]
        ends = [*((value.low, value.high) for value in found), usual_interval(log)]
        held.append([low <= truth <= high for low, high in ends])
    return dict(zip(("weighted", "self-normalised", "doubly robust", "usual"), np.mean(held, axis=0), strict=True))


# The seed is not a lucky one: of the seeds 0 to 19, each gives 93.4 to 97.2 %, and all 10,000 logs together 95.5 %.
@pytest.mark.parametrize("estimator", ["weighted", "self-normalised", "doubly robust"])
def test_the_interval_holds_the_true_click_rate_in_about_95_of_100_logs(coverage, estimator):
    print(f"{estimator}: {coverage[estimator]:.1%}")
    assert 0.93 <= coverage[estimator] <= 0.97


def test_the_usual_interval_does_not(coverage):
    assert coverage["usual"] < 0.87


def test_four_rows_by_hand():
    # Variance per click: (4 × 0.25 - 0.5²) / (2 × 0.25) = 1.5, over 4 rows 0.375.
    shift = Z_SQUARED * 0.375 / 2
    reach = np.sqrt(shift**2 + 2 * shift * 0.5)
    assert interval([2, 2, 2, 2], [1, 0, 0, 0]) == pytest.approx((0.5 + shift - reach, 0.5 + shift + reach), rel=1e-6)


def test_a_heavy_row_without_a_click_borrows_the_click_rate_of_lighter_rows():
    # All rows: 2 / 5, so 2.5 rows are borrowed. Light rows: (2 + 2.5 × 0.4) / (4 + 2.5); the heavy one borrows that.
    light = 3 / 6.5
    heavy = 2.5 * light / 3.5
    variance = (4 * light + 16 * heavy) / 5 - 0.4**2
    shift = Z_SQUARED * variance / ((4 * light + 4 * heavy) / 5) / 5 / 2
    reach = np.sqrt(shift**2 + 2 * shift * 0.4)
    found = interval([1, 1, 1, 1, 4], [1, 1, 0, 0, 0])
    assert found == pytest.approx((0.4 + shift - reach, 0.4 + shift + reach), rel=1e-6)


@pytest.mark.parametrize("clicks", [0, 1, 20, 200])
def test_with_equal_weights_and_rare_clicks_it_is_wilsons_interval(clicks):
    rows = 100_000
    wilson = binomtest(clicks, rows).proportion_ci(method="wilson")
    assert interval(np.ones(rows), np.arange(rows) < clicks) == pytest.approx(tuple(wilson), rel=2e-3, abs=1e-12)


def test_with_many_clicks_it_is_the_usual_interval():
    rng = np.random.default_rng(0)
    weight, reward = rng.uniform(0.5, 1.5, 200_000), rng.random(200_000) < 0.3
    weighted = weight * reward
    error = 1.96 * weighted.std() / np.sqrt(len(weighted))
    low, high = interval(weight, reward)
    assert (weighted.mean() - low, high - weighted.mean()) == pytest.approx((error, error), rel=0.02)


def test_without_a_click_the_interval_has_a_width():
    # z² × the sum of squared weights / the sum of weights / n
    weight = [1] * 900 + [10] * 100
    assert interval(weight, [0] * 1000) == pytest.approx((0, Z_SQUARED * 10_900 / 1_900 / 1000), rel=1e-6)


def test_rows_that_the_target_policy_never_shows_add_no_width_of_their_own():
    # A row of weight 0 adds nothing but 1 to n: with twice as many rows the variance per click is almost the same.
    weight, reward = np.ones(50_000), np.arange(50_000) < 100
    low, high = interval(weight, reward)
    half = interval(np.append(weight, np.zeros(50_000)), np.append(reward, np.zeros(50_000)))
    assert half == pytest.approx((low / 2, high / 2), rel=2e-3)


def test_without_weights_it_is_the_interval_of_the_models_mean():
    # mean 0.5, standard deviation 0.1, four rows
    reach = np.sqrt(Z_SQUARED) * 0.1 / 2
    assert interval([0, 0, 0, 0], [1, 0, 0, 0], 0.0, [0.4, 0.6, 0.4, 0.6]) == pytest.approx(
        (0.5 - reach, 0.5 + reach), rel=1e-6
    )


def test_a_model_that_knows_every_reward_leaves_only_the_variance_of_what_it_expects():
    expected = np.array([0.0, 1.0] * 50)
    reach = np.sqrt(Z_SQUARED) * 0.5 / 10
    found = interval(np.ones(100), expected, expected, expected)
    assert found == pytest.approx((0.5 - reach, 0.5 + reach), rel=1e-6)
