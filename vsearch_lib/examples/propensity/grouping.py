"""Three ways of forming groups of impressions whose relevance is the same at every position at which they are counted.

`shuffled`: impressions of shuffled pages. A stratum of pairs has the same mean relevance at each position. The curve is
that of shuffled pages: people who stop reading after a good picture look further down there than on ranked pages.

`reranked`: pairs that different rankings displayed at different positions (AllPairs: Agarwal, Zaitsev, Wang, Li, Najork
and Joachims, "Estimating position bias without intrusive interventions", WSDM 2019). Each index version is a ranking,
and its shuffled pages are another one. A group is the pairs of a stratum that were displayed at two positions k and k',
and a pair counts at both with the same weight: with n[k] impressions at k, and N at all positions, it is
n[k] * n[k'] / N. For two positions this gives the difference between them the smallest variance; for more, no
impression counts more than once.

`moved`: as `reranked`, but for any reason, such as a new picture further up. Then the model has to be right in full:
that a picture moved must have nothing to do with how relevant it was to the user who saw it. The relevance of each pair
is not fitted as a parameter of its own, because such a fit takes accidents for relevance if pairs have few clicks: on
demo logs of 200,000 to 1,000,000 impressions it finds no accidents, and a curve that is nearly half too high at
position 10.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vsearch_lib.examples.propensity.counts import Bools, Floats, Ints, total
from vsearch_lib.examples.propensity.fit import Cells
from vsearch_lib.examples.propensity.strata import STRATA
from vsearch_lib.examples.propensity.tally import Tally


@dataclass(frozen=True)
class Groups:
    """positions: position 1 and those that the groups connect to it, at least one; ascending.

    cells: the groups' impressions and clicks at these positions. impressions, clicks: those that the cells are made of,
    by position and without weights. The three arrays have the shape (positions,).
    """

    positions: Ints
    cells: Cells
    impressions: Ints
    clicks: Ints


def shuffled(log: Tally) -> Groups | None:
    """Group the impressions of shuffled pages; return None if too few of them were clicked."""
    clicks = total(log.place[log.randomised], log.clicks[log.randomised], len(log.positions))
    reached = clicks >= log.min_clicks
    if not _useful(reached):
        return None
    rows = log.randomised & reached[log.place]
    place, shown, clicked = log.place[rows], log.impressions[rows], log.clicks[rows]
    cells = Cells(log.stratum[rows], place, log.bucket[rows], shown.astype(np.float64), clicked.astype(np.float64))
    return _groups(log.positions, reached, cells, place, shown, clicked)


def reranked(log: Tally) -> Groups | None:
    """Group the pairs that different rankings displayed at different positions; return None if too few were clicked."""
    return _linked(log, different_rankings=True)


def moved(log: Tally) -> Groups | None:
    """Group the pairs that were displayed at different positions; return None if too few were clicked."""
    return _linked(log, different_rankings=False)


def _linked(log: Tally, *, different_rankings: bool) -> Groups | None:
    """Group each two rows of a pair and a half of the log, if they are at different positions."""
    places = len(log.positions)
    keys, first, row = np.unique((2 * log.pair + log.half) * places + log.place, return_index=True, return_inverse=True)
    pair_half, place = keys // places, keys % places
    shown, clicked = total(row, log.impressions, len(keys)), total(row, log.clicks, len(keys))
    one, other = _row_pairs(pair_half)
    if different_rankings:
        only = _only_code(row, log.ranking, len(keys))
        different = (only[one] != only[other]) | (only[one] < 0)
        one, other = one[different], other[different]

    weight = shown[one] * shown[other] / total(pair_half, shown, int(pair_half.max()) + 1)[pair_half[one]]
    rate = clicked / shown
    clicks = np.zeros((places, places))
    np.add.at(clicks, (place[one], place[other]), weight * rate[one])
    np.add.at(clicks, (place[other], place[one]), weight * rate[other])
    reached = _connected(clicks, log.min_clicks)
    if not _useful(reached):
        return None
    used = reached[place[one]] & reached[place[other]]
    one, other, weight = one[used], other[used], np.tile(weight[used], 2)
    group = (place[one] * places + place[other]) * STRATA + log.stratum[first][one]
    both = np.concatenate([one, other])
    cells = Cells(np.tile(group, 2), place[both], log.bucket[first][both], weight, weight * rate[both])
    rows = np.unique(both)
    return _groups(log.positions, reached, cells, place[rows], shown[rows], clicked[rows])


def _row_pairs(sorted_key: Ints) -> tuple[Ints, Ints]:
    """Return the indices of all two rows with the same key, the earlier row first."""
    none = np.empty(0, dtype=np.int64)
    ones, others, apart = [none], [none], 1
    while (one := np.flatnonzero(sorted_key[:-apart] == sorted_key[apart:])).size:
        ones.append(one)
        others.append(one + apart)
        apart += 1
    return np.concatenate(ones), np.concatenate(others)


def _only_code(row: Ints, code: Ints, rows: int) -> Ints:
    """Return the code (from 0) of each row, or -1 if the row has several."""
    lowest, highest = np.full(rows, np.iinfo(np.int64).max), np.full(rows, -1)
    np.minimum.at(lowest, row, code)
    np.maximum.at(highest, row, code)
    return np.where(lowest == highest, lowest, -1)


def _connected(clicks: Floats, min_clicks: int) -> Bools:
    """Return which places are connected to place 0; clicks[k, j] are those at k of pairs that were also seen at j.

    A place is connected if the pairs that were seen at it and at connected places have enough clicks on both sides.
    """
    connected: Bools = np.arange(len(clicks)) == 0
    while True:
        here, there = clicks[:, connected].sum(axis=1), clicks[connected].sum(axis=0)
        grown = connected | ((here >= min_clicks) & (there >= min_clicks))
        if (grown == connected).all():
            return connected
        connected = grown


def _useful(reached: Bools) -> bool:
    return bool(reached[0]) and int(reached.sum()) > 1


def _groups(
    positions: Ints, reached: Bools, cells: Cells, place: Ints, impressions: Ints | Floats, clicks: Ints | Floats
) -> Groups:
    """Add up the rows of the same cell and bucket, and code groups and places without gaps."""
    bucket_codes, bucket = np.unique(cells.bucket, return_inverse=True)
    group, coded_place = np.unique(cells.group, return_inverse=True)[1], (np.cumsum(reached) - 1)[cells.place]
    places, buckets = int(reached.sum()), len(bucket_codes)
    keys, row = np.unique((group * places + coded_place) * buckets + bucket, return_inverse=True)
    return Groups(
        positions=positions[reached],
        cells=Cells(
            group=keys // (places * buckets),
            place=keys // buckets % places,
            bucket=keys % buckets,
            shown=total(row, cells.shown, len(keys)),
            clicked=total(row, cells.clicked, len(keys)),
        ),
        impressions=total(place, impressions, len(reached))[reached].astype(np.int64),
        clicks=total(place, clicks, len(reached))[reached].astype(np.int64),
    )
