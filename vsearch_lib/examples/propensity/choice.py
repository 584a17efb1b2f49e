"""The examination curve by the best method that the clicks allow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vsearch_lib.examples.propensity.counts import Counts, Floats, Ints
from vsearch_lib.examples.propensity.grouping import moved, reranked, shuffled
from vsearch_lib.examples.propensity.interval import curve_of
from vsearch_lib.examples.propensity.tally import tally

NONE, RANDOMISED, HARVESTING = "none", "randomised", "harvesting"
#: Method → how it groups impressions; the first assumes least.
_METHODS = {RANDOMISED: shuffled, HARVESTING: reranked, "position model": moved}


@dataclass(frozen=True)
class Examination:
    """How probable it is that a user looks at a position, relative to position 1.

    method: "randomised", "harvesting" or "position model" (see `grouping`), or "none". positions: ascending, from 1.
    curve: examination at each of them, 0 to 1, and 1 at position 1. low, high: its 95 % interval. accident: probability
    that any impression is clicked by accident. impressions, clicks: those that the method counted, by position. All
    arrays have the shape (positions,).

    With the method "none" nothing could be estimated: the curve is 1 everywhere, and its interval is 0 to 1.
    """

    method: str
    positions: Ints
    curve: Floats
    low: Floats
    high: Floats
    accident: float
    impressions: Ints
    clicks: Ints


def estimate_examination(counts: Counts, *, min_clicks: int) -> Examination:
    """Return the examination curve, by the first method that has enough clicks at every position.

    The positions are those with at least `min_clicks` clicks. A method has enough clicks at a position if it counts
    `min_clicks` of them there, weighted, and as many at the positions that connect it to position 1. If no method has
    enough at every position, the one that reaches most positions is used, and the result leaves out the others. If none
    reaches a position but the first, the method is "none".

    If shuffled pages give another curve than ranked ones, beyond their intervals, people read them differently, as
    users do who stop at what they were looking for. Then the curve of ranked pages is used, on which most clicks are.

    Raises:
        ValueError: `min_clicks` is below 1.
    """
    if min_clicks < 1:
        raise ValueError(f"min_clicks is {min_clicks}; give 1 or more")
    log = tally(counts, min_clicks=min_clicks)
    method, best = NONE, None
    if log.positions.size > 1 and log.positions[0] == 1:
        for name, group in _METHODS.items():
            groups = group(log)
            if groups and groups.positions.size > (best.positions.size if best else 0):
                method, best = name, groups
            if best and best.positions.size == log.positions.size:
                break
    if best is None:
        return _nothing(counts)
    curve = curve_of(best.positions, best.cells)
    if method == RANDOMISED and (ranked := reranked(log)) and np.array_equal(ranked.positions, best.positions):
        on_ranked_pages = curve_of(ranked.positions, ranked.cells)
        if ((on_ranked_pages.low > curve.high) | (on_ranked_pages.high < curve.low)).any():
            method, best, curve = HARVESTING, ranked, on_ranked_pages
    return Examination(
        method=method,
        positions=best.positions,
        curve=curve.examination,
        low=curve.low,
        high=curve.high,
        accident=curve.accident,
        impressions=best.impressions,
        clicks=best.clicks,
    )


def _nothing(counts: Counts) -> Examination:
    positions, place = np.unique(np.append(counts.position, 1), return_inverse=True)
    impressions, clicks = (
        np.bincount(place[:-1], column, len(positions)).astype(np.int64)
        for column in (counts.impressions, counts.clicks)
    )
    ones = np.ones(len(positions))
    low = np.where(positions == 1, 1.0, 0.0)
    return Examination(NONE, positions, ones, low, ones, 0.0, impressions, clicks)
