"""On logs of known truth, curves are near the true one, and estimated relevance ranks pairs better than click rates."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import spearmanr, t

from vsearch_lib.demo.click_log import ClickLog, counts_of, draw_click_log
from vsearch_lib.demo.clicks import ATTRACTION, ClickModel, examination
from vsearch_lib.examples.propensity import Counts, estimate_examination, inverse_propensity, relevance
from vsearch_lib.examples.propensity.grouping import Groups, moved, reranked, shuffled
from vsearch_lib.examples.propensity.interval import curve_of
from vsearch_lib.examples.propensity.tally import Tally, tally

TRUE = examination(np.arange(1, 11))
MIN_CLICKS = 100
LOGS = 20


def draw(seed: int, impressions: int, *, share: float, queries: int = 200) -> Counts:
    rng = np.random.default_rng([3, seed])
    return counts_of(draw_click_log(rng, impressions=impressions, queries=queries, random_share=share))


def errors(group: Callable[[Tally], Groups | None], logs: list[Counts]) -> np.ndarray:
    """Return the relative error of the curve at each position: (logs, positions)."""
    groups = [group(tally(log, min_clicks=1)) for log in logs]
    return np.stack([curve_of(found.positions, found.cells).examination / TRUE - 1 for found in groups if found])


def median_of_the_largest(found: np.ndarray) -> float:
    print(np.abs(found).max(axis=1).round(3))
    return float(np.median(np.abs(found).max(axis=1)))


@pytest.mark.parametrize(("impressions", "logs", "limit"), [(200_000, 5, 0.10), (1_000_000, 3, 0.05)])
def test_with_shuffled_pages_the_curve_is_within_ten_and_five_percent_at_every_position(impressions, logs, limit):
    found = errors(shuffled, [draw(seed, impressions, share=1.0) for seed in range(logs)])
    assert median_of_the_largest(found) < limit


@pytest.mark.parametrize(("impressions", "logs", "limit"), [(200_000, 5, 0.10), (1_000_000, 3, 0.05)])
def test_from_two_versions_the_curve_is_within_ten_and_five_percent_at_every_position(impressions, logs, limit):
    found = errors(reranked, [draw(seed, impressions, share=0.1) for seed in range(logs)])
    assert median_of_the_largest(found) < limit


def test_from_pictures_that_moved_the_curve_is_within_twenty_percent_at_every_position():
    one_version = [draw(seed, 200_000, share=0.0) for seed in range(3)]
    found = errors(moved, [replace(log, version=np.zeros_like(log.version)) for log in one_version])
    assert median_of_the_largest(found) < 0.20


def test_curves_err_by_chance_and_not_to_one_side():
    found = errors(shuffled, [draw(seed, 50_000, share=1.0, queries=50) for seed in range(12)])
    assert np.abs(found.mean(axis=0)).max() < 0.06


def test_intervals_hold_the_truth_about_as_often_as_they_say():
    logs = [draw(seed, 50_000, share=1.0) for seed in range(6)]
    estimates = [estimate_examination(log, min_clicks=MIN_CLICKS) for log in logs]
    held = [(found.low <= TRUE)[1:] & (found.high >= TRUE)[1:] for found in estimates]
    assert {found.method for found in estimates} == {"randomised"}
    assert np.mean(held) > 0.85


def correlations(log: ClickLog, values: Callable[[Counts], np.ndarray]) -> tuple[float, float]:
    """Return Spearman's correlation with the true relevance, over pairs, of the click rate and of other values."""
    counts = counts_of(log)
    _, first, pair = np.unique(counts.pair, return_index=True, return_inverse=True)
    truth, rate = ATTRACTION[log.grade[first]], np.bincount(pair, counts.clicks) / np.bincount(pair)
    return spearmanr(rate, truth).statistic, spearmanr(values(counts), truth).statistic


def gain(model: ClickModel, impressions: int, queries: int, values: Callable[..., np.ndarray]) -> tuple[float, float]:
    """Return by how much values correlate better than the click rate: the 95 % interval of the mean over LOGS logs.

    `values` gets the counts of each log, and the curve that two versions give in another log of the same model.
    """
    rng = np.random.default_rng([4, LOGS])
    other = draw_click_log(rng, impressions=200_000, queries=200, model=model, random_share=0.0)
    curve = estimate_examination(counts_of(other), min_clicks=MIN_CLICKS)
    assert curve.method == "harvesting"
    found = []
    for seed in range(LOGS):
        log = draw_click_log(np.random.default_rng([4, seed]), impressions=impressions, queries=queries, model=model)
        found.append(correlations(log, lambda counts: values(counts, curve)))
    rate, better = np.array(found).T
    difference = better - rate
    reach = t.ppf(0.975, LOGS - 1) * difference.std(ddof=1) / LOGS**0.5
    print(f"{model}, {curve.method}: click rate {rate.mean():.3f}, gain {difference.mean():+.3f} ± {reach:.3f}")
    return difference.mean() - reach, difference.mean() + reach


@pytest.mark.parametrize("model", ["position", "trust"])
def test_relevance_ranks_pairs_better_than_the_click_rate(model):
    assert gain(model, 50_000, 50, lambda counts, curve: relevance(counts, curve)[1])[0] > 0


def test_relevance_ranks_pairs_no_worse_than_the_click_rate_if_people_read_down_and_stop():
    assert gain("cascade", 50_000, 50, lambda counts, curve: relevance(counts, curve)[1])[1] > 0


def test_of_pairs_with_a_thousand_impressions_weighted_clicks_rank_better_than_the_click_rate():
    def weighted(counts, curve):
        pair = np.unique(counts.pair, return_inverse=True)[1]
        weight = inverse_propensity(curve, counts.position, max_weight=3)
        return np.bincount(pair, counts.clicks * weight) / np.bincount(pair)

    assert gain("position", 100_000, 10, weighted)[0] > 0
