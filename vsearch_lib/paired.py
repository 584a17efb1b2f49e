"""The mean over queries, and the difference of two systems on the same queries, with their intervals."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import norm, t  # type: ignore[import-untyped]

_RESAMPLES = 5000
_SHOWN, _SURE = 0.95, 0.995  # confidence of an interval that is shown, and of one that "better" rests on
_DRAWS_AT_ONCE = 4_000_000  # values that are in memory together: 32 MB
# From so many values on, the mean is normal: the two intervals differ by less than a hundredth of their width.
_NORMAL_FROM = 10_000

Interval = tuple[float, float]


@dataclass(frozen=True)
class Difference:
    """The mean difference over `n` queries, its 95 % interval, and what it says of the new system.

    A 95 % interval excludes 0 for one of twenty equal models, too often for a word that a release rests on. So a system
    is better or worse if the 99.5 % interval says so, and perhaps better or worse if only the 95 % interval does.
    """

    mean: float
    low: float
    high: float
    n: int
    outcome: str


def paired_difference(new: Sequence[float], old: Sequence[float], *, seed: int) -> Difference:
    """Return how much higher the values `new` are than `old`, query by query, with the interval of `interval_of_mean`.

    The queries are drawn again, and each keeps both of its values, so that hard and easy queries do not widen it.

    Raises:
        ValueError: there are not as many values of one as of the other, or none.
    """
    if len(new) != len(old) or not len(new):
        raise ValueError(f"{len(new)} new values and {len(old)} old ones cannot be compared in pairs")
    differences = np.asarray(new, dtype=np.float64) - np.asarray(old, dtype=np.float64)
    mean = float(differences.mean())
    shown, sure = _intervals(differences, (_SHOWN, _SURE), seed=seed) or ((mean, mean), (mean, mean))
    return Difference(mean, *shown, len(differences), _outcome(shown, sure))


def _outcome(shown: Interval, sure: Interval) -> str:
    perhaps = "" if sure[0] > 0 or sure[1] < 0 else "perhaps "
    if shown[0] > 0:
        return f"{perhaps}better"
    return f"{perhaps}worse" if shown[1] < 0 else "no difference that can be told"


def interval_of_mean(values: ArrayLike, *, seed: int) -> Interval | None:
    """Return the 95 % interval of the mean of independent values (n); None if all are equal.

    It is the expanded percentile interval of a bootstrap (Hesterberg, The American Statistician 69, 2015): the
    percentiles lie as far out as those of a t-interval, because those of the plain bootstrap are too narrow for few
    values, by 4 % for 30. For ten thousand and more it is the normal interval.
    """
    intervals = _intervals(np.asarray(values, dtype=np.float64), (_SHOWN,), seed=seed)
    return intervals[0] if intervals else None


def _intervals(sample: NDArray[np.float64], confidences: Sequence[float], *, seed: int) -> list[Interval] | None:
    n = len(sample)
    if not n or np.ptp(sample) == 0:  # the bootstrap of equal values is not defined
        return None
    tails = (1 - np.asarray(confidences)) / 2
    if n >= _NORMAL_FROM:
        mean, error = sample.mean(), sample.std(ddof=1) / np.sqrt(n)
        return [(float(mean + norm.ppf(tail) * error), float(mean - norm.ppf(tail) * error)) for tail in tails]
    means = _resampled_means(sample, np.random.default_rng(seed))
    expanded = norm.cdf(np.sqrt(n / (n - 1)) * t.ppf(tails, n - 1))
    return [(float(low), float(high)) for low, high in np.quantile(means, [expanded, 1 - expanded]).T]


def _resampled_means(sample: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    # As scipy.stats.bootstrap does, without its checks, which take ten times as long for few values.
    at_once = max(1, _DRAWS_AT_ONCE // len(sample))
    sizes = [min(at_once, _RESAMPLES - start) for start in range(0, _RESAMPLES, at_once)]
    return np.concatenate([sample[rng.integers(len(sample), size=(size, len(sample)))].mean(axis=1) for size in sizes])
