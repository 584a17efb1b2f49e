"""Strata of pairs that are about equally relevant, chosen without a look at the clicks that are then counted."""

from __future__ import annotations

import numpy as np

from vsearch_lib.examples.propensity.counts import Floats, Ints, total

STRATA = 4


def strata(pair: Ints, half: Ints, place: Ints, shown: Ints, clicked: Ints) -> Ints:
    """Return the stratum of each row, (n,), from 0 to at most STRATA - 1; the pairs are coded from 0 without gaps.

    The stratum of a row is that of its pair in the other half of the log (cross-fitting), so that it is independent of
    the row's clicks. Pairs are ordered by their clicks over those expected at the same positions, and are divided so
    that the strata have about equally many impressions. A score of few expected clicks is drawn to the mean, 1, by as
    many clicks as a pair gets on average. Where scores are equal there are fewer strata.
    """
    stratum = np.empty(len(pair), dtype=np.int64)
    for own in (0, 1):
        rows = half == own
        score = _scores(pair[~rows], place[~rows], shown[~rows], clicked[~rows], pairs=int(pair.max(initial=-1)) + 1)
        weight = total(pair[rows], shown[rows], len(score))
        stratum[rows] = _divided(score, weight)[pair[rows]]
    return stratum


def _scores(pair: Ints, place: Ints, shown: Ints, clicked: Ints, *, pairs: int) -> Floats:
    if not clicked.any():
        return np.ones(pairs)
    places = int(place.max()) + 1
    rate = total(place, clicked, places) / np.maximum(total(place, shown, places), 1)
    expected, clicks = total(pair, shown * rate[place], pairs), total(pair, clicked, pairs)
    mean = clicks.sum() / np.unique(pair).size
    # Rounded, so that scores that are equal but for the rounding of sums are in one stratum.
    score: Floats = np.round((clicks + mean) / (expected + mean), 9)
    return score


def _divided(score: Floats, weight: Floats) -> Ints:
    order = np.argsort(score, kind="stable")
    share = np.cumsum(weight[order])
    if not share.size or share[-1] == 0:
        return np.zeros(len(score), dtype=np.int64)
    borders = score[order][np.searchsorted(share / share[-1], np.arange(1, STRATA) / STRATA)]
    return np.searchsorted(np.unique(borders), score)
