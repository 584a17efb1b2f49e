"""What an examination curve is for: clicks that weigh more where fewer users look."""

from __future__ import annotations

import numpy as np

from vsearch_lib.examples.propensity.choice import Examination
from vsearch_lib.examples.propensity.counts import Counts, Floats, Ints, total

PRIOR = 30.0  # examined impressions that weigh as much as what the positions of a pair tell about it


def examination_at(examination: Examination, position: Ints) -> Floats:
    """Return the examination of each position (from 1), 0 to 1: that of the nearest estimated one at or above it."""
    above = np.searchsorted(examination.positions, position, side="right") - 1
    return np.asarray(examination.curve[above])


def inverse_propensity(examination: Examination, position: Ints, *, max_weight: float) -> Floats:
    """Return the weight of a click at each position (from 1), 1 / examination, from 1 to `max_weight`; the same shape.

    A position that was not estimated weighs like the nearest estimated one above it. The limit trades a little
    bias for much variance (Joachims, Swaminathan and Schnabel, "Unbiased learning-to-rank with biased feedback", WSDM
    2017).

    Raises:
        ValueError: `max_weight` is below 1.
    """
    if not max_weight >= 1:
        raise ValueError(f"max_weight is {max_weight}; give 1 or more")
    return np.asarray(1 / np.maximum(examination_at(examination, position), 1 / max_weight))


def effective_sample_size(weights: Floats) -> float:
    """Return how many equal weights give a mean of the same variance: (sum w)^2 / sum w^2, and 0 if there are none.

    It is Kish's ("Survey sampling", 1965).
    """
    squares = float((weights**2).sum())
    return float(weights.sum()) ** 2 / squares if squares else 0.0


def mean_relevance(examination: Examination, position: Ints, impressions: Floats, clicks: Floats) -> Floats:
    """Return the mean relevance of all pairs at each position, 0 to 1, from the impressions and clicks there: (n,).

    (clicks / impressions - accident) / ((1 - accident) * examination)
    """
    examined, accident = examination_at(examination, position), examination.accident
    rate = clicks / np.maximum(impressions, 1)
    return np.asarray(np.clip((rate - accident) / ((1 - accident) * np.maximum(examined, 1e-12)), 0, 1))


def relevance(counts: Counts, examination: Examination) -> tuple[Ints, Floats]:
    """Return the code of each pair, ascending, and its estimated relevance: how probably it attracts a user who looks.

    It is the clicks of the pair, without the accidents that are expected, over its examined impressions. The mean
    relevance of the positions at which the pair was displayed is added as PRIOR examined impressions:

        mean[k]   = mean_relevance of position k
        prior     = sum(impressions[k] * mean[k]) / sum(impressions[k])                over the positions of the pair
        intended  = sum(clicks[k] - accident * impressions[k]) / (1 - accident)
        relevance = (intended + PRIOR * prior) / (sum(impressions[k] * examination[k]) + PRIOR)

    A pair with few impressions so gets the relevance that its ranking suggests, and its own clicks count more and more.
    The result is limited to 0 to 1.
    """
    seen, place = np.unique(counts.position, return_inverse=True)
    examined, accident = examination_at(examination, seen), examination.accident
    shown_at, clicked_at = (total(place, column, len(seen)) for column in (counts.impressions, counts.clicks))
    mean = mean_relevance(examination, seen, shown_at, clicked_at)
    pairs, pair = np.unique(counts.pair, return_inverse=True)
    intended = (counts.clicks - accident * counts.impressions) / (1 - accident)
    shown = total(pair, counts.impressions, len(pairs))
    prior = total(pair, counts.impressions * mean[place], len(pairs)) / np.maximum(shown, 1)
    looks = total(pair, counts.impressions * examined[place], len(pairs))
    return pairs, np.clip((total(pair, intended, len(pairs)) + PRIOR * prior) / (looks + PRIOR), 0, 1)
