"""How users click on a page of the demo catalogue; an estimate from the log has to undo the bias that is stated here.

A click has one of two causes: the user looks at a picture and finds it attractive, or the click is an accident.
Accidents happen at any position with the same probability:

    P(click) = 1 - (1 - P(the user looks and is attracted)) * (1 - ACCIDENT)
    attraction(grade) = ATTRACTION[grade]                 which rises with relevance
    ACCIDENT          = 0.01

There are three models of what users look at, and of what attracts them there:

`position`: the user looks at each position independently of the others (Richardson, Dominowska and Ragno, "Predicting
clicks", WWW 2007).

    P(looks and is attracted | position, grade) = examination(position) * attraction(grade)
    examination(position) = 1 / position ** ETA           with position from 1, so 1 at the top

`cascade`: the user reads down from position 1 and stops after a click that satisfies (Craswell, Zoeter, Taylor and
Ramsey, "An experimental comparison of click position-bias models", WSDM 2008, whose users stop after any click; a
click that may fail to satisfy is from Chapelle and Zhang, "A dynamic Bayesian network click model", WWW 2009). Nobody
is satisfied by an accident.

    P(is attracted | looks, grade)  = attraction(grade)
    P(stops | is attracted, grade)  = SATISFACTION[grade]

`trust`: as `position`, but the user trusts the ranking, so that an unattractive picture attracts more if it is high on
the page (Agarwal, Wang, Li, Bendersky and Najork, "Addressing trust bias for unbiased learning-to-rank", WWW 2019).

    P(looks and is attracted | position, grade)
        = examination(position) * (attraction(grade) + (1 - attraction(grade)) * TRUST / position)

The time spent on a clicked picture is log-normal: its median is DWELL_MEDIAN_MS * DWELL_GROWTH ** grade
milliseconds, and the logarithm's standard deviation is DWELL_SPREAD.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt

ETA = 0.9
ATTRACTION = np.array([0.03, 0.07, 0.15, 0.30, 0.48, 0.70])
ACCIDENT = 0.01
SATISFACTION = np.array([0.0, 0.2, 0.4, 0.6, 0.8, 1.0])
TRUST = 0.3
DWELL_MEDIAN_MS = 2500.0
DWELL_GROWTH = 1.45
DWELL_SPREAD = 0.6

ClickModel = Literal["position", "cascade", "trust"]
Ints = npt.NDArray[np.integer[Any]]


def examination(position: Ints) -> npt.NDArray[np.float64]:
    """Probability that a user looks at a position (1 is the top), in the models `position` and `trust`."""
    return np.asarray(position, dtype=np.float64) ** -ETA


def click_probability(
    position: Ints, grade: Ints, *, model: Literal["position", "trust"] = "position"
) -> npt.NDArray[np.float64]:
    """Probability of a click on a picture of a grade (0 to 5) at a position (from 1); the arrays broadcast.

    In the model `cascade` the probability depends on the rest of the page, so that only `draw_clicks` has it.
    """
    attracted: npt.NDArray[np.float64] = ATTRACTION[grade]
    if model == "trust":
        attracted = attracted + (1 - attracted) * TRUST / position
    return 1 - (1 - examination(position) * attracted) * (1 - ACCIDENT)


def draw_clicks(rng: np.random.Generator, grades: Ints, *, model: ClickModel = "position") -> npt.NDArray[np.bool_]:
    """Draw which pictures are clicked on pages with these grades (0 to 5): shape (..., positions), the top first."""
    if model == "cascade":
        return _read_down(rng, grades) | (rng.random(grades.shape) < ACCIDENT)
    positions = np.arange(1, grades.shape[-1] + 1)
    return rng.random(grades.shape) < click_probability(positions, grades, model=model)


def _read_down(rng: np.random.Generator, grades: Ints) -> npt.NDArray[np.bool_]:
    attracted = rng.random(grades.shape) < ATTRACTION[grades]
    stops = attracted & (rng.random(grades.shape) < SATISFACTION[grades])
    stopped_before = np.cumsum(stops, axis=-1) > stops  # counts the stops above, without the position's own
    return attracted & ~stopped_before


def dwell_ms(rng: np.random.Generator, grade: Ints) -> npt.NDArray[np.int64]:
    """Milliseconds spent on clicked pictures of these grades, at least 1."""
    median = DWELL_MEDIAN_MS * DWELL_GROWTH ** np.asarray(grade, dtype=np.float64)
    return np.maximum(1, median * rng.lognormal(0.0, DWELL_SPREAD, size=np.shape(grade))).astype(np.int64)
