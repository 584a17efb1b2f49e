"""The difference of two systems is measured query by query."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import ttest_rel

from vsearch_lib.paired import Difference, paired_difference


def test_the_same_difference_on_every_query_has_no_width():
    assert paired_difference([0.5, 0.75, 1.0], [0.25, 0.5, 0.75], seed=1) == Difference(0.25, 0.25, 0.25, 3)


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


def test_the_interval_covers_the_true_difference_in_nineteen_of_twenty_samples():
    rng = np.random.default_rng(5)
    covered = 0
    for seed in range(200):
        found = paired_difference(rng.exponential(1.0, 60).tolist(), [0.0] * 60, seed=seed)
        covered += found.low <= 1.0 <= found.high
    assert 0.89 <= covered / 200 <= 0.99


@pytest.mark.parametrize(("new", "old"), [([], []), ([0.1], [0.1, 0.2])])
def test_values_that_are_not_in_pairs_are_refused(new, old):
    with pytest.raises(ValueError, match="cannot be compared in pairs"):
        paired_difference(new, old, seed=1)
