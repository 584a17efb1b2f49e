"""How users click in the demo catalogue; an estimate from the log has to undo the bias that is stated here.

A displayed picture is clicked if the user looks at it and finds it attractive, or by accident:

    P(click | position, grade) = 1 - (1 - examination(position) * attraction(grade)) * (1 - ACCIDENT)
    examination(position)      = 1 / position ** ETA          with position from 1, so 1 at the top
    attraction(grade)          = ATTRACTION[grade]            which rises with relevance
    ACCIDENT                   = 0.01                         for any picture at any position

The time spent on a clicked picture is log-normal: its median is DWELL_MEDIAN_MS * DWELL_GROWTH ** grade
milliseconds, and the logarithm's standard deviation is DWELL_SPREAD.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

ETA = 0.9
ATTRACTION = np.array([0.03, 0.07, 0.15, 0.30, 0.48, 0.70])
ACCIDENT = 0.01
DWELL_MEDIAN_MS = 2500.0
DWELL_GROWTH = 1.45
DWELL_SPREAD = 0.6

Ints = npt.NDArray[np.integer[Any]]


def examination(position: Ints) -> npt.NDArray[np.float64]:
    """Probability that a user looks at a position (1 is the top)."""
    return np.asarray(position, dtype=np.float64) ** -ETA


def click_probability(position: Ints, grade: Ints) -> npt.NDArray[np.float64]:
    """Probability of a click on a picture of a grade (0 to 5) at a position (from 1); the arrays broadcast."""
    wanted: npt.NDArray[np.float64] = examination(position) * ATTRACTION[grade]
    return 1 - (1 - wanted) * (1 - ACCIDENT)


def dwell_ms(rng: np.random.Generator, grade: Ints) -> npt.NDArray[np.int64]:
    """Milliseconds spent on clicked pictures of these grades, at least 1."""
    median = DWELL_MEDIAN_MS * DWELL_GROWTH ** np.asarray(grade, dtype=np.float64)
    return np.maximum(1, median * rng.lognormal(0.0, DWELL_SPREAD, size=np.shape(grade))).astype(np.int64)
