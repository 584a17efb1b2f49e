"""Measures off-policy estimates: on Open Bandit's real logs, and how often their intervals hold on simulated logs.

.venv/bin/python benchmarks/off_policy.py ../shared/data/open-bandit
"""

import csv
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vsearch_lib.measure.off_policy.click_rates import cross_fitted
from vsearch_lib.measure.off_policy.estimators import (
    PolicyValue,
    direct_method,
    doubly_robust,
    inverse_propensity,
    self_normalised,
    shrunk_doubly_robust,
)

POSITIONS, ITEMS = 3, 34  # of Open Bandit's campaign for men
UNIFORM = np.full((POSITIONS, ITEMS), 1 / ITEMS)
MAX_WEIGHT = 10.0  # the shrinkage is its square, which halves this weight


@dataclass(frozen=True)
class ShownItems:
    """A log: arrays of shape (n,), one entry for each shown item."""

    reward: NDArray[np.float64]
    propensity: NDArray[np.float64]
    item: NDArray[np.int64]
    position: NDArray[np.int64]


def open_bandit(file: Path) -> ShownItems:
    """Read a file such as `bts-men/men.csv`."""
    with file.open(newline="") as text:
        rows = list(csv.DictReader(text))
    reward, propensity = (np.array([float(row[name]) for row in rows]) for name in ("click", "propensity_score"))
    item, position = (np.array([int(row[name]) for row in rows]) for name in ("item_id", "position"))
    return ShownItems(reward, propensity, item, position - 1)


def simulated_logs(number: int, *, seed: int, n: int = 10_000) -> Iterator[tuple[ShownItems, float]]:
    """Yield logs of a skewed policy, each from a world of its own, and the true click rate of the uniform policy.

    Items are clicked in 0.5 % of cases; the logarithms of their click rates have a standard deviation of 0.5. On each
    of ten days the policy prefers items in proportion to their click rate, and at random by a factor of exp(1.6 × a
    normal number). The median of the heaviest weights is 140, and the effective sample size is 8 % of n. In Open
    Bandit's `bts-men` they are 178 and 7 %.
    """
    rng, days = np.random.default_rng(seed), 10
    for _ in range(number):
        rate = 0.005 * np.exp(0.5 * rng.standard_normal((POSITIONS, ITEMS)) - 0.5**2 / 2)
        chance = rate * np.exp(1.6 * rng.standard_normal((days, POSITIONS, ITEMS)))
        chance = (chance / chance.sum(axis=2, keepdims=True)).reshape(-1, ITEMS)
        page = rng.integers(days * POSITIONS, size=n)
        # One search draws all items: the cumulative probabilities of page number p lie between p and p + 1.
        steps = np.cumsum(chance, axis=1)
        steps[:, -1] = 1
        edges = (steps + np.arange(len(steps))[:, None]).ravel()
        # The sum of a page and a random number can be rounded up to the next page.
        item = np.minimum(np.searchsorted(edges, page + rng.random(n)) - page * ITEMS, ITEMS - 1)
        position = page % POSITIONS
        clicked = rng.random(n) < rate[position, item]
        yield ShownItems(clicked.astype(np.float64), chance[page, item], item, position), float(rate.mean())


def estimates(log: ShownItems, *, seed: int) -> dict[str, PolicyValue]:
    """Estimate the click rate of the uniform policy in every way."""
    rows = log.reward, log.propensity, np.full(len(log.reward), 1 / ITEMS)
    model = cross_fitted(log.reward, log.item, log.position, UNIFORM, seed=seed)
    modelled = model.estimated, model.expected
    return {
        "IPW": inverse_propensity(*rows),
        f"IPW, weights up to {MAX_WEIGHT:g}": inverse_propensity(*rows, max_weight=MAX_WEIGHT),
        "self-normalised IPW": self_normalised(*rows),
        "direct method": direct_method(model.expected),
        "doubly robust": doubly_robust(*rows, *modelled),
        f"doubly robust, λ = {MAX_WEIGHT**2:g}": shrunk_doubly_robust(*rows, *modelled, shrinkage=MAX_WEIGHT**2),
    }


def usual_interval(log: ShownItems) -> tuple[float, float]:
    """Return the interval of self-normalised IPW by the delta method: value ± 1.96 standard errors."""
    weight = 1 / ITEMS / log.propensity
    value = np.average(log.reward, weights=weight)
    error = np.std(weight / weight.mean() * (log.reward - value), ddof=1) / np.sqrt(len(weight))
    return value - 1.96 * error, value + 1.96 * error


def main(folder: str) -> None:
    """Print the table of Open Bandit's logs and the coverage on simulated ones."""
    logged, uniform = (open_bandit(Path(folder) / name / "men.csv") for name in ("bts-men", "random-men"))
    print(f"uniform policy, observed: {uniform.reward.mean():.5f} in {len(uniform.reward)} rows")
    print(f"estimated from the {len(logged.reward)} rows of bts, clicked in {logged.reward.mean():.5f}:")
    for name, found in estimates(logged, seed=0).items():
        print(
            f"  {name:22} {found.value:.5f}  {found.low:.5f} to {found.high:.5f}  width {found.high - found.low:.5f}"
            f"  effective n {found.effective_n:.0f}"
        )
    number, below, above = 0, {}, {}
    for seed in range(4):
        for log, truth in simulated_logs(500, seed=seed):
            number += 1
            intervals = {name: (found.low, found.high) for name, found in estimates(log, seed=seed).items()}
            for name, (low, high) in {**intervals, "SNIPW ± 1.96 errors": usual_interval(log)}.items():
                below[name] = below.get(name, 0) + (high < truth)
                above[name] = above.get(name, 0) + (low > truth)
    print(f"{number} simulated logs of 10,000 rows: the interval")
    for name in below:
        inside = number - below[name] - above[name]
        print(
            f"  {name:22} holds in {inside / number:.1%}, is too low in {below[name] / number:.1%}, too high in "
            f"{above[name] / number:.1%}"
        )


if __name__ == "__main__":
    main(sys.argv[1])
