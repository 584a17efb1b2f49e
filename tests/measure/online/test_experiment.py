"""An experiment is judged by users: equal variants are seldom called different, and a broken split is called broken."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom, bootstrap

from vsearch_lib.measure.online.experiment import Arm, Judgement, judge, sample_ratio_p_value

NIGHTS = 14


def visits(rng: np.random.Generator, users: int, nights: int = 1) -> np.ndarray:
    """Impressions of each user and night, (nights, users): some users come far more often than others."""
    return rng.poisson(rng.gamma(0.5, 10, users), (nights, users))


def clicks(rng: np.random.Generator, shown: np.ndarray, rate: float) -> np.ndarray:
    """Clicks on impressions (nights, users): a user who likes to click does so every night."""
    tastes = rng.beta(4 * rate, 4 * (1 - rate), shown.shape[1])
    return rng.binomial(shown, tastes)


def arm(seed: int, users: int, rate: float) -> Arm:
    rng = np.random.default_rng(seed)
    shown = visits(rng, users)
    return Arm.of(shown[0], clicks(rng, shown, rate)[0])


def test_the_rate_and_its_variance_worked_out_by_hand():
    # Three users: 1 of 2, 0 of 1, 3 of 5. Residuals y - x/2: 0, -1/2, 1/2, so that 3/2 · (1/2) / 8².
    made = Arm.of([2, 1, 5], [1, 0, 3])
    assert made.rate == 0.5
    assert made.variance == pytest.approx(3 / 2 * 0.5 / 64)


def test_the_variance_is_that_of_a_bootstrap_over_users():
    rng = np.random.default_rng(3)
    shown = visits(rng, 2000)
    clicked = clicks(rng, shown, 0.1)
    drawn = bootstrap(
        (shown[0], clicked[0]),
        lambda x, y, axis: y.sum(axis=axis) / x.sum(axis=axis),
        paired=True,
        n_resamples=2000,
        rng=rng,
        method="percentile",
    )
    assert np.sqrt(Arm.of(shown[0], clicked[0]).variance) == pytest.approx(drawn.standard_error, rel=0.06)


def test_intervals_contain_the_true_difference_in_93_to_97_percent_of_experiments():
    truth, covered = 0.12 - 0.10, 0
    for seed in range(1500):
        gain = judge(arm(2 * seed, 800, 0.12), arm(2 * seed + 1, 800, 0.10), share=0.5).gain
        covered += gain.low <= truth <= gain.high
    assert 0.93 <= covered / 1500 <= 0.97


def judged_nights(
    seed: int, *, lift: float = 0.0, share: float = 0.5, users: int = 1000, come_back: bool = True
) -> list[Judgement]:
    """The judgements of the nights of an experiment: users come first on any night, and come back, or do not."""
    rng = np.random.default_rng([7, seed])
    drawn = rng.random(users) < share
    night, first = np.arange(NIGHTS)[:, None], rng.integers(NIGHTS, size=users)
    is_there = night >= first if come_back else night == first
    shown = (visits(rng, users, NIGHTS) * is_there).cumsum(axis=0)
    clicked = np.empty_like(shown)
    for who, rate in ((drawn, 0.1 + lift), (~drawn, 0.1)):
        nightly = np.diff(shown[:, who], axis=0, prepend=0)
        clicked[:, who] = clicks(rng, nightly, rate).cumsum(axis=0)
    nights = []
    for night in range(NIGHTS):
        sides = [who & (shown[night] > 0) for who in (drawn, ~drawn)]
        arms = [Arm.of(shown[night, side], clicked[night, side]) for side in sides]
        nights.append(judge(*arms, share=share))
    return nights


@pytest.mark.parametrize(("share", "come_back"), [(0.2, True), (0.5, False)])
def test_equal_variants_are_called_better_at_any_of_14_nights_in_at_most_2_5_percent_of_experiments(share, come_back):
    experiments = [judged_nights(seed, share=share, users=2000, come_back=come_back) for seed in range(300)]
    allowed = binom.ppf(0.999, len(experiments), 0.025)

    def called(word: str) -> int:
        return sum(any(night.verdict == word for night in nights) for nights in experiments)

    assert called("better") <= allowed
    assert called("worse") <= allowed
    assert called("broken split") <= binom.ppf(0.999, len(experiments), 0.001 * NIGHTS)
    if not come_back:  # so that every night brings new evidence: the usual interval, read every night, errs more often
        usual = [any(n.gain and not n.gain.low <= 0 <= n.gain.high for n in nights) for nights in experiments]
        assert sum(usual) > binom.ppf(0.999, len(experiments), 0.05)


@pytest.mark.parametrize(("lift", "word"), [(0.03, "better"), (-0.03, "worse")])
def test_a_planted_lift_is_found(lift, word):
    ends = [judged_nights(seed, lift=lift, users=10_000)[-1].verdict for seed in range(20)]
    assert ends.count(word) >= 19


def test_a_split_of_55_to_45_that_was_planned_even_is_broken_whatever_people_clicked():
    found = judge(arm(1, 5500, 0.3), arm(2, 4500, 0.1), share=0.5)
    assert found.verdict == "broken split"
    assert "55.0% of 10,000 users got the variant, and 50.0% were planned" in found.reason
    assert judge(arm(1, 5500, 0.3), arm(2, 4500, 0.1), share=0.55).verdict == "better"


def test_the_sample_ratio_is_a_chi_square_test():
    # (5 / sqrt(50))² twice is 1: the p-value of 1 with one degree of freedom.
    assert sample_ratio_p_value(55, 45, share=0.5) == pytest.approx(0.31731, abs=1e-5)
    assert sample_ratio_p_value(3, 30, share=0.1) is None


def test_users_who_have_seen_both_variants_break_the_split():
    found = judge(arm(1, 1000, 0.1), arm(2, 1000, 0.1), share=0.5, in_both=30)
    assert (found.verdict, found.gain is not None) == ("broken split", True)
    assert "30 of 2,030 users have seen both variants" in found.reason
    assert judge(arm(1, 1000, 0.1), arm(2, 1000, 0.1), share=0.5, in_both=10).verdict == "not enough data"


@pytest.mark.parametrize(("users", "rate"), [(40, 0.5), (150, 0.001)])
def test_few_users_or_few_clicks_give_no_interval(users, rate):
    found = judge(arm(1, users, rate), arm(2, users, rate), share=0.5)
    assert (found.verdict, found.gain) == ("not enough data", None)
    assert "100 users and 30 clicks each are needed" in found.reason


def test_users_who_all_click_the_same_share_have_no_variance():
    found = judge(Arm.of([10] * 200, [4] * 200), Arm.of([10] * 200, [2] * 200), share=0.5)
    assert (found.verdict, found.gain.p_value) == ("better", 0)
