"""The difference of two systems on the same queries, with its interval."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import bootstrap  # type: ignore[import-untyped]

_RESAMPLES = 5000


@dataclass(frozen=True)
class Difference:
    """The mean difference over `n` queries, and its 95 % interval."""

    mean: float
    low: float
    high: float
    n: int


def paired_difference(new: Sequence[float], old: Sequence[float], *, seed: int) -> Difference:
    """Return how much higher the values `new` are than `old`, query by query.

    The interval comes from a bootstrap over the queries (Efron and Tibshirani 1993, percentiles): the queries are drawn
    again, and each keeps both of its values, so that hard and easy queries do not widen it.

    Raises:
        ValueError: there are not as many values of one as of the other, or none.
    """
    if len(new) != len(old) or not new:
        raise ValueError(f"{len(new)} new values and {len(old)} old ones cannot be compared in pairs")
    differences = np.asarray(new, dtype=np.float64) - np.asarray(old, dtype=np.float64)
    mean = float(differences.mean())
    if np.ptp(differences) == 0:  # the bootstrap of equal values is not defined
        return Difference(mean, mean, mean, len(differences))
    rng = np.random.default_rng(seed)
    interval = bootstrap(
        (differences,), np.mean, n_resamples=_RESAMPLES, method="percentile", rng=rng
    ).confidence_interval
    return Difference(mean, float(interval.low), float(interval.high), len(differences))
