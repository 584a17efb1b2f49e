"""A simple reward model for off-policy estimates: the smoothed click rate of each item at each position."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vsearch_lib.errors import InvalidArgument
from vsearch_lib.measure.off_policy.rows import shares

_FOLDS = 5


@dataclass(frozen=True)
class ModelledRewards:
    """What the model of the other folds says of each row.

    Attributes:
        estimated: (n,) click rate of the logged item at its position.
        expected: (n,) mean click rate at the row's position of the items that the target policy shows there.
    """

    estimated: NDArray[np.float64]
    expected: NDArray[np.float64]


def cross_fitted(
    reward: ArrayLike, item: NDArray[np.int64], position: NDArray[np.int64], target: NDArray[np.float64], *, seed: int
) -> ModelledRewards:
    """Return modelled click rates, each from four fifths of the log, to which the row itself does not belong.

    A rate is smoothed towards the click rate of its position, and that towards the click rate of all rows: each borrows
    as many rows as hold one click on average. Cross-fitting: Chernozhukov et al., "Double/debiased machine learning",
    2018.

    Args:
        reward: (n,) clicks, 0 to 1; n is at least 2.
        item: (n,) number of the shown item, from 0.
        position: (n,) number of its position, from 0.
        target: (positions, items) probability with which the target policy shows each item at each position; the sum
            of a row is 1.
        seed: of the random division into five parts.

    Raises:
        InvalidArgument: the log has fewer than two rows, a reward is outside its range, the arrays do not belong
            together, an item or position is not in `target`, or the sum of a row of `target` is not 1.
    """
    clicks = shares("reward", reward)
    n = len(clicks)
    if n < 2:
        raise InvalidArgument("reward", "has 1 row; a model that has not seen a row needs another one")
    if not np.allclose(target.sum(axis=1), 1):
        raise InvalidArgument("target", "holds a row whose sum is not 1; give the probabilities of all items")
    for name, index, size in (("item", item, target.shape[1]), ("position", position, target.shape[0])):
        if len(index) != n:
            raise InvalidArgument(
                name, f"has the length {len(index)}, reward the length {n}; give one number for each row"
            )
        if index.min() < 0 or index.max() >= size:
            raise InvalidArgument(
                name, f"goes from {index.min()} to {index.max()}; number them from 0 to {size - 1}, as in target"
            )
    folds = min(_FOLDS, n)
    fold = np.random.default_rng(seed).permutation(n) % folds
    shape = (folds, *target.shape)
    cell = np.ravel_multi_index((fold, position, item), shape)
    shown, clicked = (
        np.bincount(cell, weights=counted, minlength=folds * target.size).reshape(shape)
        for counted in (np.ones(n), clicks)
    )
    rates = _smoothed(clicked.sum(axis=0) - clicked, shown.sum(axis=0) - shown)
    return ModelledRewards(rates[fold, position, item], (rates * target).sum(axis=2)[fold, position])


def _smoothed(clicked: NDArray[np.float64], shown: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return click rates (folds, positions, items) from counts of the same shape."""
    clicks, rows = clicked.sum(axis=(1, 2), keepdims=True), shown.sum(axis=(1, 2), keepdims=True)
    overall = clicks / rows
    # without a click every rate is 0, however many rows are borrowed
    borrowed = np.divide(rows, clicks, out=np.ones_like(rows), where=clicks > 0)
    of_position = (clicked.sum(axis=2, keepdims=True) + borrowed * overall) / (
        shown.sum(axis=2, keepdims=True) + borrowed
    )
    rates: NDArray[np.float64] = (clicked + borrowed * of_position) / (shown + borrowed)
    return rates
