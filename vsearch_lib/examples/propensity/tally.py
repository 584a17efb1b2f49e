"""Counts at the positions that have clicks, with the stratum of each pair: what groups are formed from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vsearch_lib.examples.propensity.counts import Bools, Counts, Ints, total
from vsearch_lib.examples.propensity.strata import strata


@dataclass(frozen=True)
class Tally:
    """Every field but the last two has one entry a row, shape (n,).

    pair: coded from 0. place: index into `positions`, which ascend. ranking: code of the version and of `randomised`: a
    shuffled page is another ranking. stratum: see `strata`. The other fields are those of `Counts`. min_clicks: the
    clicks that each position has at least, and that a method needs.
    """

    pair: Ints
    half: Ints
    place: Ints
    ranking: Ints
    bucket: Ints
    randomised: Bools
    stratum: Ints
    impressions: Ints
    clicks: Ints
    positions: Ints
    min_clicks: int


def tally(counts: Counts, *, min_clicks: int) -> Tally:
    """Return the rows at positions with at least `min_clicks` clicks."""
    seen, place = np.unique(counts.position, return_inverse=True)
    enough = total(place, counts.clicks, len(seen)) >= min_clicks
    rows = enough[place] & (counts.impressions > 0)
    pair = np.unique(counts.pair[rows], return_inverse=True)[1]
    version = np.unique(counts.version[rows], return_inverse=True)[1]
    half, place = counts.half[rows], (np.cumsum(enough) - 1)[place[rows]]
    impressions, clicks = counts.impressions[rows], counts.clicks[rows]
    return Tally(
        pair=pair,
        half=half,
        place=place,
        ranking=2 * version + counts.randomised[rows],
        bucket=counts.bucket[rows],
        randomised=counts.randomised[rows],
        stratum=strata(pair, half, place, impressions, clicks),
        impressions=impressions,
        clicks=clicks,
        positions=seen[enough],
        min_clicks=min_clicks,
    )
