"""Recall: the share of the true answers that an index returns. Equal scores are equal answers."""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt
from typing import TYPE_CHECKING

import numpy as np

from vsearch_lib.artefact.gate_report import Recall
from vsearch_lib.figures import Figure

if TYPE_CHECKING:  # a benchmark imports this module in an environment that has little more than numpy
    from numpy.typing import NDArray

    from vsearch_lib.vectors import RowIds, Vectors

_Z95 = 1.959964  # of the normal distribution, two-sided
_FLOAT32_ROUNDOFF = 2.0**-24
_DEVIATIONS = 4  # of a sum of independent rounding errors


def recall_figure(recall: Recall, metric: str, *, subject: str, stratum: str, n: int) -> Figure:
    """Return a recall as a figure over `n` queries of `stratum`; its interval ends at 0 and at 1, as recall does."""
    low, high = max(0.0, recall.mean - recall.half_width_95), min(1.0, recall.mean + recall.half_width_95)
    return Figure(metric, recall.mean, subject=subject, slice=stratum, n=n, low=low, high=high)


def recall(found: RowIds, truth: RowIds, queries: Vectors, vectors_of: Callable[[RowIds], Vectors]) -> Recall:
    """Return the mean of `recall_of_each` over queries, with its interval."""
    shares = recall_of_each(found, truth, queries, vectors_of)
    spread = float(shares.std(ddof=1)) / sqrt(len(shares)) if len(shares) > 1 else 0.0
    return Recall(float(shares.mean()), _Z95 * spread)


def recall_of_each(
    found: RowIds, truth: RowIds, queries: Vectors, vectors_of: Callable[[RowIds], Vectors]
) -> NDArray[np.float64]:
    """Return the recall (n) of `found` for each query.

    An answer is right if its score reaches the score of the last true answer, within `score_tolerance`. The score is
    the inner product of query and vector. So it does not matter which of several identical rows an index returns.
    The recall of a query that has t true answers is the number of different right rows among its first t answers,
    divided by t. This is the recall of ann-benchmarks (Aumüller, Bernhardsson and Faithfull, Information Systems 87,
    2020). Without ties it is the share of the true ids. If more rows are tied for the last ranks than ranks remain, a
    tied row may replace a better one that is missing.

    Args:
        found: row ids that the index returned, (n, any number), best first, -1 after the last one.
        truth: row ids that exact search returned, (n, k), at least one each, -1 after the last one.
        queries: unit vectors, (n, d), n at least 1.
        vectors_of: returns the vectors (m, d) of row ids (m,), in the precision that exact search read them in.
    """
    return np.array([_share(*one, vectors_of) for one in zip(found, truth, queries, strict=True)])


def score_tolerance(dimension: int) -> float:
    """Return how far apart the float32 scores of two equal answers may be, for unit vectors of `dimension`.

    Rounding errors of an inner product are at most d·u for unit vectors (Higham, Accuracy and Stability of Numerical
    Algorithms, 3.1), u = 2⁻²⁴ for float32. They are independent enough that they stay below λ·√d·u with a small λ
    (Higham and Mary, SIAM J. Sci. Comput. 41, 2019); here λ is 4. Two searches that sum in a different order may both
    err by that much, hence twice. For 128 dimensions this is 5·10⁻⁶: less than what storing vectors in half precision
    changes scores by.
    """
    return 2 * _DEVIATIONS * sqrt(dimension) * _FLOAT32_ROUNDOFF


def without_own(ids: RowIds, own: RowIds) -> RowIds:
    """Return the answers (n, k - 1) to queries that are rows of the index, without those rows.

    `ids` (n, k) are the answers, `own` (n,) the rows. If a row is not among its own answers, its last answer is
    dropped: k is one more than needed, and of more than k identical rows an answer may leave out any.
    """
    return np.array([answers[answers != row][: ids.shape[1] - 1] for answers, row in zip(ids, own, strict=True)])


def _share(found: RowIds, truth: RowIds, query: Vectors, vectors_of: Callable[[RowIds], Vectors]) -> float:
    true = truth[truth >= 0]
    answers = found[: len(true)]
    answers = np.unique(answers[answers >= 0])
    # In float64, so that only the searches round, and not this comparison.
    exact = query.astype(np.float64)
    least = (vectors_of(true) @ exact).min() - score_tolerance(len(query))
    return float((vectors_of(answers) @ exact >= least).sum() / len(true))
