"""Prints how well examination curves and the relevance of pairs are estimated from generated logs of clicks.

    .venv/bin/python benchmarks/propensity.py

The first table has the true curve and, for each method and size, the mean of the curves estimated from 10 logs, the
largest relative error at ten positions (its median over the logs), the share of logs in which it is below 5, 10 and
20 %, and how often the 95 % interval holds the truth. The second has Spearman's rank correlation with the true
relevance, over pairs: that of the click rate, and by how much that of weighted clicks and of `relevance` differ from it
(mean of 20 logs and its 95 % interval). `relevance` is computed with the curve of the method that is chosen for
the log, and with that of harvesting. It takes a quarter of an hour.
"""

import time
from dataclasses import replace

import numpy as np
from scipy.stats import spearmanr, t

from vsearch_lib.demo.click_log import ClickLog, counts_of, draw_click_log
from vsearch_lib.demo.clicks import ATTRACTION, ClickModel, examination
from vsearch_lib.examples.propensity import Counts, Examination, estimate_examination, inverse_propensity, relevance

TRUE = examination(np.arange(1, 11))
MIN_CLICKS = 100
CURVE_LOGS, RANKING_LOGS = 10, 20
#: Method → share of requests with a shuffled page.
METHODS = {"randomised": (1.0, 0.1), "harvesting": (0.1, 0.0), "position model": (0.0,)}
SIZES = ((200_000, 200), (200_000, 1000), (1_000_000, 200), (1_000_000, 1000))
LIMITS = (10.0, 5.0, 3.0)


def counts_for(method: str, log: ClickLog) -> Counts:
    """Return the counts of a log without what earlier methods use."""
    counts = counts_of(log)
    if method == "harvesting":  # a shuffled page is another ranking; only its mark is taken away
        ranking = 2 * counts.version + counts.randomised
        return replace(counts, version=ranking, randomised=np.zeros_like(counts.randomised))
    if method == "position model":
        return replace(counts, version=np.zeros_like(counts.version))
    return counts


def curves() -> None:
    """Print the first table."""
    print("true curve" + " " * 44 + " ".join(f"{value:.3f}" for value in TRUE))
    for method, shares in METHODS.items():
        for share in shares:
            for impressions, queries in SIZES:
                estimates, seconds = [], 0.0
                for seed in range(CURVE_LOGS):
                    rng = np.random.default_rng([1, seed])
                    log = draw_click_log(rng, impressions=impressions, queries=queries, random_share=share)
                    counts = counts_for(method, log)
                    start = time.perf_counter()
                    estimates.append(estimate_examination(counts, min_clicks=MIN_CLICKS))
                    seconds += time.perf_counter() - start
                print_curve(method, share, impressions, queries, estimates, seconds / CURVE_LOGS)


def print_curve(
    method: str, share: float, impressions: int, queries: int, estimates: list[Examination], seconds: float
) -> None:
    """Print the row of one method and size."""
    complete = [e for e in estimates if e.method == method and len(e.curve) == len(TRUE)]
    name = f"{method}, {share:.0%} shuffled, {impressions:,} / {queries} queries"
    if not complete:
        print(f"{name:54}too few clicks")
        return
    curve = np.stack([e.curve for e in complete])
    largest = np.abs(curve / TRUE - 1).max(axis=1)
    below = ", ".join(f"<{limit:.0%} {(largest < limit).mean():.0%}" for limit in (0.05, 0.1, 0.2))
    held = np.mean([(e.low <= TRUE) & (e.high >= TRUE) for e in complete])
    print(f"{name:54}" + " ".join(f"{value:.3f}" for value in curve.mean(axis=0)))
    print(
        f"{'':54}largest error {np.median(largest):.3f} ({below}); interval holds {held:.0%}; "
        f"accident {np.mean([e.accident for e in complete]):.4f}; {len(complete)} logs, {seconds:.1f} s each"
    )


def correlations(log: ClickLog) -> dict[str, float]:
    """Return Spearman's correlation over pairs of each estimate with the true relevance."""
    counts = counts_of(log)
    estimated = estimate_examination(counts, min_clicks=MIN_CLICKS)
    _, first, pair = np.unique(counts.pair, return_index=True, return_inverse=True)
    truth, shown = ATTRACTION[log.grade[first]], np.bincount(pair)
    estimates = {"click rate": np.bincount(pair, counts.clicks) / shown}
    for limit in LIMITS:
        weight = inverse_propensity(estimated, counts.position, max_weight=limit)
        estimates[f"weights to {limit:.0f}"] = np.bincount(pair, counts.clicks * weight) / shown
    estimates["relevance (chosen)"] = relevance(counts, estimated)[1]
    harvested = estimate_examination(counts_for("harvesting", log), min_clicks=MIN_CLICKS)
    estimates["relevance (harvesting)"] = relevance(counts, harvested)[1]
    return {name: float(spearmanr(values, truth).statistic) for name, values in estimates.items()}


def rankings() -> None:
    """Print the second table."""
    models: tuple[ClickModel, ...] = ("position", "cascade", "trust")
    for impressions, queries in ((50_000, 400), (200_000, 200), (1_000_000, 200)):
        for model in models:
            rows = []
            for seed in range(RANKING_LOGS):
                rng = np.random.default_rng([2, seed])
                rows.append(correlations(draw_click_log(rng, impressions=impressions, queries=queries, model=model)))
            rate = np.array([row["click rate"] for row in rows])
            print(f"{impressions:>9,} / {queries:>4} queries, {model:8}  click rate {rate.mean():.3f}", end="")
            for name in list(rows[0])[1:]:
                gain = np.array([row[name] for row in rows]) - rate
                reach = t.ppf(0.975, RANKING_LOGS - 1) * gain.std(ddof=1) / RANKING_LOGS**0.5
                print(f"  {name} {gain.mean():+.3f} ± {reach:.3f}", end="")
            print()


if __name__ == "__main__":
    curves()
    rankings()
