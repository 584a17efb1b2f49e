"""The difference of two systems is measured query by query."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom, bootstrap, norm, t, ttest_rel

from vsearch_lib.paired import Difference, interval_of_mean, paired_difference


def test_the_same_difference_on_every_query_has_no_width():
    assert paired_difference([0.5, 0.75, 1.0], [0.25, 0.5, 0.75], seed=1) == Difference(0.25, 0.25, 0.25, 3, "better")


def test_for_many_queries_the_interval_is_that_of_the_paired_t_test():
    rng = np.random.default_rng(3)
    old = rng.uniform(0, 1, 400)
    new = old + rng.normal(0.01, 0.05, 400)
    found = paired_difference(new.tolist(), old.tolist(), seed=1)
    expected = ttest_rel(new, old).confidence_interval()
    assert found.mean == pytest.approx((new - old).mean())
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=0.0005)


def test_hard_and_easy_queries_do_not_widen_the_interval():
    rng = np.random.default_rng(3)
    gain = rng.normal(0.01, 0.01, 100)
    narrow = paired_difference((0.5 + gain).tolist(), [0.5] * 100, seed=1)
    old = rng.uniform(0, 1, 100)
    wide = paired_difference((old + gain).tolist(), old.tolist(), seed=1)
    assert (wide.low, wide.high) == pytest.approx((narrow.low, narrow.high))


def as_normal(rng, n):
    return rng.normal(0.02, 0.1, n), 0.02


def as_many_ties(rng, n):
    """Most queries do not move, as with two models that are nearly the same."""
    return np.where(rng.random(n) < 0.5, rng.normal(0.04, 0.2, n), 0.0), 0.02


def as_reciprocal_ranks(rng, n):
    """Differences of reciprocal ranks, which are few values far apart."""
    ranks = np.array([1, 1 / 2, 1 / 3, 1 / 4, 0])
    return rng.choice(ranks, n, p=(0.5, 0.2, 0.1, 0.1, 0.1)) - rng.choice(ranks, n), float(
        ranks @ (0.5, 0.2, 0.1, 0.1, 0.1) - ranks.mean()
    )


@pytest.mark.parametrize("n", [30, 100])
@pytest.mark.parametrize("draw", [as_normal, as_many_ties, as_reciprocal_ranks])
def test_the_interval_covers_the_true_difference_in_93_to_97_percent_of_the_samples(draw, n, monkeypatch):
    monkeypatch.setattr("vsearch_lib.paired._RESAMPLES", 1000)
    rng = np.random.default_rng(5)
    samples, covered = 2000, 0
    for seed in range(samples):
        values, truth = draw(rng, n)
        found = paired_difference(values.tolist(), [0.0] * n, seed=seed)
        covered += found.low <= truth <= found.high
    assert 0.93 <= covered / samples <= 0.97


def test_the_interval_is_scipys_at_the_level_that_corrects_for_few_values():
    values = np.random.default_rng(3).exponential(1.0, 200)
    low, high = interval_of_mean(values, seed=1)
    level = 1 - 2 * norm.cdf(-np.sqrt(200 / 199) * t.ppf(0.975, 199))
    expected = bootstrap((values,), np.mean, confidence_level=level, method="percentile", rng=2).confidence_interval
    assert (low, high) == pytest.approx((expected.low, expected.high), abs=0.01)


def test_for_ten_thousand_queries_the_interval_is_normal():
    values = np.random.default_rng(3).exponential(1.0, 10_000)
    low, high = interval_of_mean(values, seed=1)
    error = values.std(ddof=1) / 100
    assert (low, high) == pytest.approx((values.mean() - 1.96 * error, values.mean() + 1.96 * error), abs=1e-5)
    few_low, few_high = interval_of_mean(values[:9_999], seed=1)
    assert (few_low, few_high) == pytest.approx((low, high), abs=0.05 * (high - low))


@pytest.mark.parametrize(("change", "expected"), [(0.036, ""), (0.024, "perhaps "), (0.012, None)])
def test_a_system_is_better_if_the_wide_interval_says_so_and_perhaps_if_only_the_usual_one_does(change, expected):
    # Its error is 0.01; by Student's t, 95 % are 1.98 errors to each side, and 99.5 % are 2.87.
    spread = np.linspace(-1, 1, 100)
    values = change + 0.1 * spread / spread.std(ddof=1)
    for sign, word in ((1, "better"), (-1, "worse")):
        said = paired_difference((sign * values).tolist(), [0.0] * 100, seed=1).outcome
        assert said == ("no difference that can be told" if expected is None else f"{expected}{word}")


def outcomes(change: float, *, seeds: int) -> list[str]:
    """What is said of a model on 80 queries; the noise of each of the two models is its own."""
    said = []
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        hard = rng.uniform(0.2, 0.9, 80)
        new, old = (np.clip(hard + shift + rng.normal(0, 0.1, 80), 0, 1) for shift in (change, 0.0))
        said.append(paired_difference(new.tolist(), old.tolist(), seed=seed).outcome)
    return said


def test_a_worse_model_is_called_worse_and_a_better_one_better():
    assert set(outcomes(-0.1, seeds=20)) == {"worse"}
    assert set(outcomes(+0.1, seeds=20)) == {"better"}


def test_an_equal_model_is_called_better_in_none_of_20_comparisons_and_as_seldom_as_planned_in_600(monkeypatch):
    monkeypatch.setattr("vsearch_lib.paired._RESAMPLES", 2000)
    said = outcomes(0.0, seeds=600)
    for word in ("better", "worse"):
        assert word not in said[:20]
        assert said.count(word) <= binom.ppf(0.999, 600, 0.0025)
        assert 0.01 <= (said.count(word) + said.count(f"perhaps {word}")) / 600 <= 0.04


def test_equal_values_have_no_interval():
    assert interval_of_mean([0.5, 0.5], seed=1) is None
    assert interval_of_mean([], seed=1) is None


@pytest.mark.parametrize(("new", "old"), [([], []), ([0.1], [0.1, 0.2])])
def test_values_that_are_not_in_pairs_are_refused(new, old):
    with pytest.raises(ValueError, match="cannot be compared in pairs"):
        paired_difference(new, old, seed=1)
