"""Estimators of a target policy's click rate from the log of another policy, the logging policy.

A row of the log is one shown item. Its weight is the probability with which the target policy shows the item, divided
by the propensity: the probability with which the logging policy showed it. Rows are taken as independent.

`self_normalised` and `doubly_robust` are recommended: their intervals contain the true click rate in about 95 % of
simulated logs with rare clicks and skewed weights (`benchmarks/off_policy.py`). A limit on the weights
(`max_weight`, `shrinkage`) lowers the variance at the price of a bias, which the interval does not show.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from vsearch_lib.errors import InvalidArgument
from vsearch_lib.measure.off_policy.interval import score_interval
from vsearch_lib.measure.off_policy.rows import Numbers, one_a_row, shares


@dataclass(frozen=True)
class PolicyValue:
    """A target policy's estimated click rate, in clicks per shown item.

    Attributes:
        value: the estimate.
        low: lower end of its 95 % interval. It can be below 0 if a model is used.
        high: upper end of the interval.
        n: number of rows of the log.
        effective_n: Kish's effective sample size of the weights (Kish, "Survey Sampling", 1965): the number of rows
            of equal weight that tell as much.
    """

    value: float
    low: float
    high: float
    n: int
    effective_n: float


def inverse_propensity(
    reward: ArrayLike, propensity: ArrayLike, target: ArrayLike, *, max_weight: float = np.inf
) -> PolicyValue:
    """Return the mean of weight × reward (Horvitz and Thompson, 1952), with weights clipped at `max_weight`.

    Args:
        reward: (n,) clicks, 0 to 1.
        propensity: (n,) probability with which the logging policy showed the item, above 0 and at most 1.
        target: (n,) probability with which the target policy shows the same item, 0 to 1.
        max_weight: heavier weights are replaced by it (Bottou et al., "Counterfactual reasoning and learning systems",
            2013). Below infinity the estimate is too low on average.

    Raises:
        InvalidArgument: an array is empty, is not of shape (n,), or holds a number outside its range; the target
            policy shows no item of the log; `max_weight` is not above 0.
    """
    if not max_weight > 0:
        raise InvalidArgument("max_weight", f"is {max_weight}; give a number above 0, or leave it out")
    log = _Log.of(reward, propensity, target)
    return _weighted(log, np.minimum(log.weight, max_weight))


def self_normalised(reward: ArrayLike, propensity: ArrayLike, target: ArrayLike) -> PolicyValue:
    """Return the sum of weight × reward over the sum of weights (Swaminathan and Joachims, 2015).

    It does not change if all weights are wrong by the same factor. Its interval is that of the linear approximation
    (delta method): weight × (reward - value) / mean weight.

    Args:
        reward, propensity, target: (n,) as in `inverse_propensity`.

    Raises:
        InvalidArgument: as in `inverse_propensity`.
    """
    log = _Log.of(reward, propensity, target)
    weight = log.weight / log.weight.mean()
    value = np.full(log.n, np.mean(weight * log.reward))
    return _weighted(log, weight, value, value)


def direct_method(expected: ArrayLike) -> PolicyValue:
    """Return the mean of a model's expected rewards (Beygelzimer and Langford, 2009).

    The interval shows only how the expected rewards vary from row to row. It does not show the model's own error, so
    that it is usually far too narrow. No row is weighted: the effective sample size is n.

    Args:
        expected: (n,) mean of the model's rewards of all items, weighted by the target policy's probabilities.

    Raises:
        InvalidArgument: `expected` is empty, is not of shape (n,), or is not finite.
    """
    rows = one_a_row("expected", expected)
    nothing = np.zeros(len(rows))
    low, high = score_interval(weight=nothing, reward=nothing, estimated=nothing, expected=rows)
    return PolicyValue(float(rows.mean()), low, high, len(rows), float(len(rows)))


def doubly_robust(
    reward: ArrayLike, propensity: ArrayLike, target: ArrayLike, estimated: ArrayLike, expected: ArrayLike
) -> PolicyValue:
    """Return the mean of expected + weight × (reward - estimated) (Dudík, Langford and Li, 2011).

    It is unbiased if the propensities are right, however bad the model is, provided that the model of a row has not
    seen that row (`click_rates.cross_fitted`).

    Args:
        reward, propensity, target: (n,) as in `inverse_propensity`.
        estimated: (n,) the model's reward of the logged item.
        expected: (n,) mean of the model's rewards of all items, weighted by the target policy's probabilities.

    Raises:
        InvalidArgument: as in `inverse_propensity`; or a model's reward is not finite.
    """
    log = _Log.of(reward, propensity, target)
    return _weighted(log, log.weight, *log.modelled(estimated, expected))


def shrunk_doubly_robust(
    reward: ArrayLike,
    propensity: ArrayLike,
    target: ArrayLike,
    estimated: ArrayLike,
    expected: ArrayLike,
    *,
    shrinkage: float,
) -> PolicyValue:
    """Return the doubly robust estimate with optimistic shrinkage: weight w becomes λw / (w² + λ), for λ = `shrinkage`.

    Weights far above √λ are shrunk to almost nothing: the estimate moves from that of `doubly_robust` (λ = ∞) to that
    of `direct_method` (λ → 0), and takes over the model's bias. Source: Su et al., "Doubly robust off-policy
    evaluation with shrinkage", 2020.

    Args:
        reward, propensity, target, estimated, expected: (n,) as in `doubly_robust`.
        shrinkage: λ, above 0.

    Raises:
        InvalidArgument: as in `doubly_robust`; or `shrinkage` is not above 0.
    """
    if not shrinkage > 0:
        raise InvalidArgument("shrinkage", f"is {shrinkage}; give a number above 0")
    log = _Log.of(reward, propensity, target)
    return _weighted(log, log.weight / (log.weight**2 / shrinkage + 1), *log.modelled(estimated, expected))


@dataclass(frozen=True)
class _Log:
    """The checked rows of a log."""

    reward: Numbers
    weight: Numbers

    @classmethod
    def of(cls, reward: ArrayLike, propensity: ArrayLike, target: ArrayLike) -> "_Log":
        clicks = shares("reward", reward)
        chance = shares("propensity", propensity, n=len(clicks), zero=False)
        asked = shares("target", target, n=len(clicks))
        if not asked.any():
            raise InvalidArgument(
                "target", "is 0 in all rows: the log holds no item of this policy; use a log with items in common"
            )
        return cls(clicks, asked / chance)

    @property
    def n(self) -> int:
        return len(self.reward)

    def modelled(self, estimated: ArrayLike, expected: ArrayLike) -> tuple[Numbers, Numbers]:
        return one_a_row("estimated", estimated, n=self.n), one_a_row("expected", expected, n=self.n)


def _weighted(
    log: _Log, weight: Numbers, estimated: Numbers | None = None, expected: Numbers | None = None
) -> PolicyValue:
    """Return the mean of expected + weight × (reward - estimated); without a model both are 0."""
    nothing = np.zeros(log.n)
    estimated, expected = (nothing if model is None else model for model in (estimated, expected))
    value = np.mean(expected + weight * (log.reward - estimated))
    low, high = score_interval(weight=weight, reward=log.reward, estimated=estimated, expected=expected)
    relative = weight / weight.max()  # so that the squares of tiny weights do not vanish
    return PolicyValue(float(value), low, high, log.n, float(relative.sum() ** 2 / np.sum(relative**2)))
