"""The interval of a curve comes from leaving out buckets of queries."""

import numpy as np
from scipy.stats import t

from vsearch_lib.examples.propensity.fit import Cells
from vsearch_lib.examples.propensity.interval import curve_of

# Of each bucket: impressions and clicks at position 1, then at position 2.
BUCKETS = [(100, 50, 100, 20), (120, 50, 80, 20), (90, 40, 110, 30), (100, 60, 90, 25)]


def cells(buckets: list[tuple[int, int, int, int]]) -> Cells:
    bucket, place = (axis.ravel() for axis in np.mgrid[: len(buckets), :2])
    counts = np.array(buckets, dtype=float).reshape(-1, 2)
    return Cells(np.zeros_like(place), place, bucket, counts[:, 0], counts[:, 1])


def ratio(buckets: list[tuple[int, int, int, int]]) -> float:
    """Return the examination of position 2: with one group, it is the ratio of the click rates."""
    shown_1, clicked_1, shown_2, clicked_2 = np.sum(buckets, axis=0)
    return (clicked_2 / shown_2) / (clicked_1 / shown_1)


def test_the_interval_is_that_of_the_jackknife():
    without = [ratio(BUCKETS[:i] + BUCKETS[i + 1 :]) for i in range(4)]
    error = np.sqrt(3 / 4 * sum((value - ratio(BUCKETS)) ** 2 for value in without))
    curve = curve_of(np.array([1, 2]), cells(BUCKETS))
    np.testing.assert_allclose(curve.low, [1, ratio(BUCKETS) - t.ppf(0.975, 3) * error], atol=1e-5)
    np.testing.assert_allclose(curve.high, [1, ratio(BUCKETS) + t.ppf(0.975, 3) * error], atol=1e-5)


def test_with_one_bucket_nothing_is_known():
    curve = curve_of(np.array([1, 2]), cells(BUCKETS[:1]))
    assert (curve.low.tolist(), curve.high.tolist()) == ([1, 0], [1, 1])


def test_a_position_that_only_one_bucket_has_gets_a_wide_interval():
    buckets = [(100, 50, 0, 0), (100, 50, 0, 0), (100, 50, 100, 25)]
    curve = curve_of(np.array([1, 2]), cells(buckets))
    assert (curve.low[1], curve.high[1]) == (0, 1)
