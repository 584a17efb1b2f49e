"""A smooth examination curve: neighbouring positions lend each other what the clicks of one alone leave uncertain."""

from __future__ import annotations

import numpy as np

from vsearch_lib.examples.propensity.counts import Floats, Ints

# Of the candidates for the variance of bends: from a straight line to a curve that hardly anything smooths.
_VARIANCES = np.exp(np.linspace(-8, 4, 49))
_DIAGONAL_SHARE = 0.5  # of the covariance: twenty buckets determine the correlation of ten positions badly
_TINY = 1e-6


def smoothed(positions: Ints, curve: Floats, covariance: Floats) -> tuple[Floats, Floats]:
    """Return the logarithm of the smoothed curve, and its standard errors: (positions,) each, 0 at position 1.

    Users look less and less far down a page, so that the logarithm of examination falls nearly in a line over the
    logarithm of the position. Its bends, which are changes of slope per square root of the distance, are taken for
    random with one variance. That variance is the one under which the estimated bends are most likely, given how
    uncertain they are: bends that are larger than chance stay, as at the fold of a page, and others vanish. It is the
    smoothing spline as a random process (Wahba, "Improper priors, spline smoothing and the problem of guarding against
    model errors in regression", JRSS B 40, 1978), with an empirical Bayes variance.

    Args:
        positions: (positions,) ascending from 1, at least three.
        curve: (positions,) examination, above 0, and 1 at position 1.
        covariance: (positions, positions) of the logarithm of the curve.
    """
    log = np.log(curve)
    bends = _bends(np.log(positions.astype(np.float64)))[:, 1:]  # the curve is 0 at position 1, and certain
    shrunk = _DIAGONAL_SHARE * np.diag(np.diag(covariance)) + (1 - _DIAGONAL_SHARE) * covariance
    noise = shrunk[1:, 1:] + _TINY * np.eye(len(curve) - 1)
    found, of_bends = bends @ log[1:], bends @ noise @ bends.T
    likelihoods = [_log_likelihood(found, of_bends + variance * np.eye(len(found))) for variance in _VARIANCES]
    total = of_bends + _VARIANCES[int(np.argmax(likelihoods))] * np.eye(len(found))
    gain = noise @ bends.T @ np.linalg.inv(total)
    values = log[1:] - gain @ found
    errors = np.sqrt(np.clip(np.diag(noise - gain @ bends @ noise), 0, None))
    return np.append(0.0, values), np.append(0.0, errors)


def _bends(place: Floats) -> Floats:
    """Return the matrix that maps values at `place` to their changes of slope per square root of the distance."""
    rows = []
    for i in range(len(place) - 2):
        before, after = place[i + 1] - place[i], place[i + 2] - place[i + 1]
        row = np.zeros(len(place))
        row[i : i + 3] = 1 / before, -1 / before - 1 / after, 1 / after
        rows.append(row / np.sqrt((before + after) / 2))
    return np.array(rows)


def _log_likelihood(values: Floats, covariance: Floats) -> float:
    """Return the log density of a normal distribution with mean 0, without its constant."""
    _, determinant = np.linalg.slogdet(covariance)
    return float(-0.5 * (determinant + values @ np.linalg.solve(covariance, values)))
