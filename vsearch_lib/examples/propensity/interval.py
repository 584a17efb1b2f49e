"""The curve of some cells with its uncertainty, which is how much it changes without some of the queries."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit  # type: ignore[import-untyped]

from vsearch_lib.examples.propensity.counts import Floats, Ints
from vsearch_lib.examples.propensity.fit import Cells, fit
from vsearch_lib.examples.propensity.smooth import smoothed

_MIN_SMOOTHED = 3  # positions: fewer have no bend
_MIN_BUCKETS = 5


@dataclass(frozen=True)
class Curve:
    """The examination at each position, its 95 % interval, (positions,) each, and the accident rate."""

    examination: Floats
    low: Floats
    high: Floats
    accident: float


def curve_of(positions: Ints, cells: Cells) -> Curve:
    """Return the smoothed curve of `cells`, whose places are `positions`, ascending from 1.

    The interval is from the delete-a-group jackknife (Kott, "The delete-a-group jackknife", Journal of Official
    Statistics 17, 2001), with buckets of queries as groups, because the clicks of one query are not independent: of B
    buckets, each is left out once, the variance is (B - 1) / B times the sum of the squared differences from the fit of
    all cells, and the interval is Student's t with B - 1 degrees of freedom. The strata of pairs are not chosen again.
    With one bucket nothing is known, and the interval is 0 to 1.

    With few buckets or positions, or a position that may not be examined at all, the curve is not smoothed.
    """
    fitted, buckets = fit(cells), np.unique(cells.bucket)
    if len(buckets) < 2:
        low, high = np.zeros_like(fitted.examination), np.ones_like(fitted.examination)
        low[0] = 1.0
        return Curve(fitted.examination, low, high, fitted.accident)
    left_out = np.stack([fit(cells.without(int(bucket)), start=fitted).examination for bucket in buckets])
    share, reach = (len(buckets) - 1) / len(buckets), float(stdtrit(len(buckets) - 1, 0.975))
    if len(buckets) < _MIN_BUCKETS or len(positions) < _MIN_SMOOTHED or left_out.min() <= 0:
        error = np.sqrt(share * ((left_out - fitted.examination) ** 2).sum(axis=0))
        low, high = (np.clip(fitted.examination + side * reach * error, 0, 1) for side in (-1, 1))
        return Curve(fitted.examination, low, high, fitted.accident)
    change = np.log(left_out) - np.log(fitted.examination)
    log, error = smoothed(positions, fitted.examination, share * change.T @ change)
    low, high = (np.clip(np.exp(log + side * reach * error), 0, 1) for side in (-1, 1))
    return Curve(np.clip(np.exp(log), 0, 1), low, high, fitted.accident)
