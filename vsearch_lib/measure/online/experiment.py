"""Whether a variant of an experiment is better than the control: four possible verdicts, and the reason in words.

Users are randomised, not impressions, and one user's impressions are alike. So a user is the unit of every interval:
the click-through rate is a ratio of two sums over users, and its variance is that of the delta method (Deng, Knoblich
and Lu, "Applying the delta method in metric analytics", KDD 2018).
"""

from dataclasses import dataclass
from math import log, sqrt
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import chisquare, norm  # type: ignore[import-untyped]

Word = Literal["better", "worse", "not enough data", "broken split"]

ALPHA = 0.05  # a variant that is equal to the control is called better at some look with half of this probability
MIN_USERS, MIN_CLICKS = 100, 30  # of each variant; the intervals are those of large samples
BROKEN_BELOW = 0.001  # p-value of the sample ratio; as Fabijan et al., KDD 2019, recommend, far below the usual .05
MAX_SHARE_IN_BOTH = 0.01  # of the users; they have seen both variants, so that the split does not hold for them
_TUNED_USERS = 10_000  # for which the interval that holds at every look is narrowest; others pay some percent


@dataclass(frozen=True)
class Arm:
    """The users of a variant: how many, and sums over them of what each was shown and clicked.

    Attributes:
        users: who were shown an image.
        impressions, clicks: sums of x and y, the impressions of a user and how many of them were clicked.
        impressions_squared, clicks_squared, products: sums of x², y² and xy.
    """

    users: int
    impressions: float
    clicks: float
    impressions_squared: float
    clicks_squared: float
    products: float

    @classmethod
    def of(cls, impressions: ArrayLike, clicks: ArrayLike) -> "Arm":
        """Return the arm of n users from the impressions and the clicks of each, both (n,)."""
        x, y = np.asarray(impressions, dtype=np.float64), np.asarray(clicks, dtype=np.float64)
        sums = (x.sum(), y.sum(), (x * x).sum(), (y * y).sum(), (x * y).sum())
        return cls(len(x), *(float(value) for value in sums))

    @property
    def rate(self) -> float:
        """Clicks per impression."""
        return self.clicks / self.impressions

    @property
    def variance(self) -> float:
        """The variance of `rate`: n / (n - 1) · Σ (y - rate · x)² / (Σ x)², for at least two users."""
        rate = self.rate
        residuals = self.clicks_squared - 2 * rate * self.products + rate**2 * self.impressions_squared
        return self.users / (self.users - 1) * max(residuals, 0.0) / self.impressions**2

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of `rate`."""
        half = float(norm.ppf(1 - ALPHA / 2)) * sqrt(self.variance)
        return self.rate - half, self.rate + half


@dataclass(frozen=True)
class Gain:
    """How much higher the click-through rate of a variant is than that of the control.

    Attributes:
        low, high: the 95 % interval for one look.
        p_value: of the hypothesis that the rates are equal, for one look, two-sided.
        always_low, always_high: the interval that contains the truth at every look with 95 % probability.
    """

    value: float
    low: float
    high: float
    p_value: float
    always_low: float
    always_high: float


@dataclass(frozen=True)
class Judgement:
    """The verdict on a variant and its reason.

    Attributes:
        gain: None if there are too few users or clicks for an interval.
        sample_ratio_p_value: how probable so uneven a split is, if users are drawn as planned; None for few users.
    """

    verdict: Word
    reason: str
    gain: Gain | None
    sample_ratio_p_value: float | None


def judge(variant: Arm, control: Arm, *, share: float, in_both: int = 0) -> Judgement:
    """Return the verdict on a variant.

    A split that is broken is reported before anything else, because its difference in clicks means nothing. `better`
    and `worse` need the whole interval that holds at every look on one side of 0. So the page may be read every night
    and the experiment be ended as soon as it says so. A usual 95 % interval that is read every night for weeks
    would call equal variants different several times as often.

    Args:
        share: of the users who were planned to get the variant.
        in_both: users who have seen both variants; they belong to neither arm.
    """
    users = variant.users + control.users
    ratio = sample_ratio_p_value(variant.users, control.users, share=share)
    gain = _gain(variant, control) if _is_enough(variant) and _is_enough(control) else None
    if ratio is not None and ratio < BROKEN_BELOW:
        reason = (
            f"{variant.users / users:.1%} of {users:,} users got the variant, and {share:.1%} were planned, which "
            f"chance explains with a probability of {ratio:.1g}: some users are missing or counted twice"
        )
        return Judgement("broken split", reason, gain, ratio)
    if in_both > MAX_SHARE_IN_BOTH * (users + in_both) and ratio is not None:
        reason = f"{in_both:,} of {users + in_both:,} users have seen both variants: a user must stay with one"
        return Judgement("broken split", reason, gain, ratio)
    if gain is None:
        reason = (
            f"{variant.users:,} users with {variant.clicks:,.0f} clicks got the variant, and {control.users:,} with "
            f"{control.clicks:,.0f} the control; {MIN_USERS} users and {MIN_CLICKS} clicks each are needed"
        )
        return Judgement("not enough data", reason, None, ratio)
    measured = f"the click-through rate is {variant.rate:.2%}, and {control.rate:.2%} with the control"
    always = f"at every look, the difference is between {_points(gain.always_low)} and {_points(gain.always_high)}"
    if gain.always_low > 0:
        return Judgement("better", f"{measured}; {always} points", gain, ratio)
    if gain.always_high < 0:
        return Judgement("worse", f"{measured}; {always} points", gain, ratio)
    return Judgement("not enough data", f"{measured}; {always} points, so it may be either", gain, ratio)


def sample_ratio_p_value(variant_users: int, control_users: int, *, share: float) -> float | None:
    """Return how probable so uneven a split is by chance (chi-square test); None if fewer than 5 users are expected."""
    users = variant_users + control_users
    expected = (share * users, (1 - share) * users)
    if min(expected) < 5:
        return None
    return float(chisquare((variant_users, control_users), expected).pvalue)


def _is_enough(arm: Arm) -> bool:
    return arm.users >= MIN_USERS and arm.clicks >= MIN_CLICKS


def _gain(variant: Arm, control: Arm) -> Gain:
    value = variant.rate - control.rate
    error = sqrt(variant.variance + control.variance)
    half = float(norm.ppf(1 - ALPHA / 2)) * error
    always = _every_look(variant.users + control.users) * error
    p_value = 2 * float(norm.sf(abs(value) / error)) if error else float(value == 0)
    return Gain(value, value - half, value + half, p_value, value - always, value + always)


def _every_look(users: int) -> float:
    """Return the half-width, in standard errors, of the interval that holds at every look.

    It is the asymptotic confidence sequence of Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas ("Time-uniform central
    limit theory and asymptotic confidence sequences", 2021), tuned to be narrowest at _TUNED_USERS: for
    η = users · ρ², √((1 + 1/η) · log((1 + η) / α²)).
    """
    at_tuned = -2 * log(ALPHA) + log(-2 * log(ALPHA)) + 1
    eta = at_tuned * users / _TUNED_USERS
    return sqrt((1 + 1 / eta) * log((1 + eta) / ALPHA**2))


def _points(value: float) -> str:
    return f"{100 * value:+.2f}"
