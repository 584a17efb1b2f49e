"""The formulas of ranking figures, over the grades of answers: the one place where they are written.

Binary figures count an answer as relevant from the grade `RELEVANT_FROM` on; nDCG uses the grades themselves.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RELEVANT_FROM = 3  # grade, of 0–5, from which an answer counts as right
UNJUDGED = -1  # the grade of an answer that nobody judged, and of the places after the last answer

Grades = NDArray[np.int64]
Of = NDArray[np.float64]


@dataclass(frozen=True)
class Measures:
    """Which figures are computed.

    Attributes:
        depths: the k of precision@k, recall@k, hit rate@k and nDCG@k.
        exponential_gain: compute nDCG also with the gain 2^grade - 1, as `ndcg_exponential_at_…`.
        judged_only: compute all figures also over condensed lists, without the answers that nobody judged, as
            `…_judged_only` (Sakai 2007). Otherwise such an answer is not relevant.
    """

    depths: tuple[int, ...] = (10,)
    exponential_gain: bool = False
    judged_only: bool = False

    @property
    def names(self) -> list[str]:
        """The names of the figures."""
        return list(values_of(np.empty((0, 1), np.int64), np.empty((0, 1), np.int64), self))


def values_of(grades: Grades, judged: Grades, measures: Measures) -> dict[str, Of]:
    """Return the value (n) of each figure for n queries.

    - `mrr`: 1 / rank of the first relevant answer, 0 without one (TREC's reciprocal rank).
    - `map`: mean over the relevant images of the precision at their ranks, 0 for those not found (TREC's AP).
    - `precision_at_k`: relevant ones among the first k answers / k.
    - `judged_recall_at_k`: relevant ones among the first k answers / all relevant images of the query.
    - `hit_rate_at_k`: 1 if one of the first k answers is relevant, else 0; also called top-k accuracy, or success@k.
    - `ndcg_at_k`: DCG of the first k answers / the highest DCG possible (Järvelin and Kekäläinen 2002).

    A query for which no image is relevant counts 0.

    Args:
        grades: (n, depth) grade of each answer, best first; `UNJUDGED` after the last one too.
        judged: (n, m) the grades of all judged images of the query, in any order; places that are too many are 0.
        measures: which figures.
    """
    found = _of_lists(np.maximum(grades, 0), judged, measures)
    if measures.judged_only:
        # A stable sort moves the judged answers to the front and keeps their order.
        order = np.argsort(grades < 0, axis=1, kind="stable")
        condensed = np.maximum(np.take_along_axis(grades, order, axis=1), 0)
        found |= {f"{name}_judged_only": of for name, of in _of_lists(condensed, judged, measures).items()}
    return found


def dcg(grades: Grades, *, exponential: bool = False) -> Of:
    """Return the discounted gain up to each rank i (n, depth): the sum of gain / log2(i + 1), the gain being the grade.

    With `exponential`, it is 2^grade - 1 (Burges and others 2005).
    """
    gains = np.exp2(grades) - 1 if exponential else grades.astype(np.float64)
    return np.asarray(np.cumsum(gains / np.log2(np.arange(2, grades.shape[1] + 2)), axis=1))


def _of_lists(grades: Grades, judged: Grades, measures: Measures) -> dict[str, Of]:
    if not grades.shape[1]:
        grades = np.zeros((len(grades), 1), dtype=np.int64)
    if not judged.shape[1]:
        judged = np.zeros((len(judged), 1), dtype=np.int64)
    right = grades >= RELEVANT_FROM
    right_so_far = np.cumsum(right, axis=1)
    ranks = np.arange(1, grades.shape[1] + 1)
    possible = np.maximum((judged >= RELEVANT_FROM).sum(axis=1), 1)
    found = {
        "mrr": np.where(right.any(axis=1), 1 / (right.argmax(axis=1) + 1), 0.0),
        "map": (right * right_so_far / ranks).sum(axis=1) / possible,
    }
    for k in measures.depths:
        hits = right_so_far[:, min(k, len(ranks)) - 1]
        found[f"precision_at_{k}"] = hits / k
        found[f"judged_recall_at_{k}"] = hits / possible
        found[f"hit_rate_at_{k}"] = (hits > 0).astype(np.float64)
    best = -np.sort(-judged, axis=1)
    kinds = {"ndcg": False, **({"ndcg_exponential": True} if measures.exponential_gain else {})}
    for name, exponential in kinds.items():
        gained, ideal = dcg(grades, exponential=exponential), dcg(best, exponential=exponential)
        for k in measures.depths:
            reached, reachable = (each[:, min(k, each.shape[1]) - 1] for each in (gained, ideal))
            found[f"{name}_at_{k}"] = np.divide(reached, reachable, out=np.zeros(len(reached)), where=reachable > 0)
    return found
