"""How far an estimated examination curve may be off, from how much it changes without some of the queries."""

from __future__ import annotations

import numpy as np
from scipy.special import stdtrit  # type: ignore[import-untyped]

from vsearch_lib.examples.propensity.counts import Floats
from vsearch_lib.examples.propensity.fit import Cells, Parameters, fit


def examination_interval(cells: Cells, fitted: Parameters) -> tuple[Floats, Floats]:
    """Return low and high of the 95 % interval of the examination at each place, (places,) each, from 0 to 1.

    `fitted` is the fit of all `cells`. It is the delete-a-group jackknife (Kott, "The delete-a-group jackknife",
    Journal of Official Statistics 17, 2001), with buckets of queries as groups, because the clicks of one query are not
    independent: of B buckets, each is left out once, the variance is (B - 1) / B times the sum of the squared
    differences from `fitted`, and the interval is Student's t with B - 1 degrees of freedom. The strata of pairs are
    not chosen again. With one bucket nothing is known, and the interval is 0 to 1.
    """
    buckets = np.unique(cells.bucket)
    if len(buckets) < 2:
        low, high = np.zeros_like(fitted.examination), np.ones_like(fitted.examination)
        low[0] = 1.0
        return low, high
    left_out = [fit(cells.without(int(bucket)), start=fitted).examination for bucket in buckets]
    squares = (np.stack(left_out) - fitted.examination) ** 2
    error = np.sqrt((len(buckets) - 1) / len(buckets) * squares.sum(axis=0))
    reach = float(stdtrit(len(buckets) - 1, 0.975)) * error
    return np.clip(fitted.examination - reach, 0, 1), np.clip(fitted.examination + reach, 0, 1)
