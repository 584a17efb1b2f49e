"""The examination curve that makes the clicks in cells most likely.

A cell is a group of impressions at one position. In the position-based model (Richardson, Dominowska and Ragno,
"Predicting clicks", WWW 2007) with accidental clicks, an impression of group g at position k is clicked with the
probability

    P(click | g, k) = accident + (1 - accident) * examination[k] * relevance[g]          examination[1] = 1

Expectation maximisation (EM) finds the most likely parameters: each is the mean of a hidden event (the click is an
accident; the user examines the position; the picture attracts), and the means of these events in a cell, given its
clicks and the last parameters, follow from Bayes' rule. EM alone takes thousands of steps, because accidents and
irrelevant pictures look much alike. SQUAREM takes tens (Varadhan and Roland, "Simple and globally convergent methods
for accelerating the convergence of any EM algorithm", Scandinavian Journal of Statistics 35, 2008; scheme S3).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vsearch_lib.examples.propensity.counts import Floats, Ints, total

_TOLERANCE = 1e-9  # the largest change of a probability in a step that counts as none
_MAX_CYCLES = 2000
_START_ACCIDENT = 0.2  # as a share of the lowest click rate of a position
_EXTRAPOLATION = 100.0  # the factor by which a cycle may bring a probability nearer to 0 or 1; it never reaches them
_EDGE = 1e-3
_TINY = 1e-300


@dataclass(frozen=True)
class Cells:
    """Impressions and clicks of cells, split by query; every field has one entry a row, shape (n,).

    group: index of the group. place: index of the position; 0 is position 1. bucket: a hash of the query.
    shown, clicked: impressions and clicks. They may be weighted, and then are not integers.
    """

    group: Ints
    place: Ints
    bucket: Ints
    shown: Floats
    clicked: Floats

    def without(self, bucket: int) -> Cells:
        """Return the rows of all other buckets."""
        rows = self.bucket != bucket
        return Cells(*(column[rows] for column in vars(self).values()))


@dataclass(frozen=True)
class Parameters:
    """accident: a probability. examination: by place, (places,), 1 at place 0. relevance: by group, (groups,)."""

    accident: float
    examination: Floats
    relevance: Floats


def fit(cells: Cells, *, start: Parameters | None = None) -> Parameters:
    """Return the most likely parameters; begin at `start`, which has all places and groups, or at the click rates.

    If there is only one group, accidents and examination cannot be separated, and `accident` is 0.
    """
    places = len(start.examination) if start else int(cells.place.max()) + 1
    groups = len(start.relevance) if start else int(cells.group.max()) + 1
    keys, row = np.unique(cells.group * places + cells.place, return_inverse=True)
    group, place = keys // places, keys % places
    shown, clicked = total(row, cells.shown, len(keys)), total(row, cells.clicked, len(keys))
    missed, all_shown = shown - clicked, max(shown.sum(), _TINY)
    shown_at, shown_of = total(place, shown, places), total(group, shown, groups)

    def chances(x: Floats) -> tuple[float, Floats, Floats, Floats]:
        """Return accident, and of each cell examination, relevance and the click probability."""
        examined, attracts = x[1 + place], x[1 + places + group]
        return x[0], examined, attracts, x[0] + (1 - x[0]) * examined * attracts

    def step(x: Floats) -> Floats:
        accident, examined, attracts, click = chances(x)
        clicks, misses = clicked / np.maximum(click, _TINY), missed / np.maximum(1 - examined * attracts, _TINY)
        seen = clicks * examined * (attracts + (1 - attracts) * accident) + misses * examined * (1 - attracts)
        liked = clicks * attracts * (examined + (1 - examined) * accident) + misses * attracts * (1 - examined)
        examination = total(place, seen, places) / np.maximum(shown_at, _TINY)
        examination[0] = 1.0
        relevance = total(group, liked, groups) / np.maximum(shown_of, _TINY)
        return np.concatenate([[accident * clicks.sum() / all_shown], examination, relevance])

    def log_likelihood(x: Floats) -> float:
        click = np.clip(chances(x)[3], _TINY, 1 - 1e-16)
        return float(clicked @ np.log(click) + missed @ np.log1p(-click))

    x = _near(start) if start else _click_rates(place, group, shown, clicked, places, groups)
    for _ in range(_MAX_CYCLES):
        once = step(x)
        if np.abs(once - x).max() < _TOLERANCE:
            break
        twice = step(once)
        further = step(_extrapolated(x, once, twice))
        x = further if log_likelihood(further) >= log_likelihood(twice) else twice
    return Parameters(float(x[0]), x[1 : 1 + places], x[1 + places :])


def _near(start: Parameters) -> Floats:
    """Return parameters near `start`, but not so near to 0 or 1 that EM could not leave; no accidents stay none."""
    accident = max(start.accident, _EDGE) if start.accident else 0.0
    x = np.concatenate([[accident], np.clip(np.append(start.examination, start.relevance), _EDGE, 1 - _EDGE)])
    x[1] = 1.0
    return x


def _click_rates(place: Ints, group: Ints, shown: Floats, clicked: Floats, places: int, groups: int) -> Floats:
    rates = total(place, clicked, places) / np.maximum(total(place, shown, places), _TINY)
    examination = np.minimum(rates / max(rates[0], _TINY), 0.9)
    examination[0] = 1.0
    relevance = total(group, clicked, groups) / np.maximum(total(group, shown, groups), _TINY)
    accident = _START_ACCIDENT * rates.min() if groups > 1 else 0.0
    return np.concatenate([[accident], examination, np.clip(relevance, _EDGE, 1 - _EDGE)])


def _extrapolated(x: Floats, once: Floats, twice: Floats) -> Floats:
    """Return where EM's last two steps lead to, kept between 0 and 1; a probability of 0 or 1 stays as it is."""
    change, bend = once - x, twice - 2 * once + x
    length = float(np.linalg.norm(change) / max(float(np.linalg.norm(bend)), _TINY))
    if length <= 1:
        return twice
    ahead: Floats = x + 2 * length * change + length**2 * bend
    return np.clip(ahead, twice / _EXTRAPOLATION, 1 - (1 - twice) / _EXTRAPOLATION)
