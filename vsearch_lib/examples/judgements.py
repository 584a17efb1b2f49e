"""Pairs of images that annotators scored: the grade of each pair, and how far annotators agree."""

import numpy as np
from numpy.typing import NDArray
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

MAX_SCORE = 5


def pair_grades(judgements: DataFrame) -> DataFrame:
    """Return each judged pair of different images: query_image_id, image_id, grade (0 to 5), annotators, spread.

    The grade is the mean score, and the spread the difference of the highest and the lowest.

    Args:
        judgements: query_image_id, image_id, annotator, score.
    """
    scored = judgements.where("query_image_id != image_id").groupBy("query_image_id", "image_id")
    return scored.agg(
        F.avg("score").alias("grade"),
        F.count("*").cast("int").alias("annotators"),
        (F.max("score") - F.min("score")).alias("spread"),
    )


def judged_pairs(judgements: DataFrame, *, min_grade: float, max_spread: int) -> DataFrame:
    """Return the pairs that annotators found alike: query_image_id, image_id, grade (0 to 5), annotators.

    A pair is left out if its grade is below `min_grade`, or if two of its annotators differ by more than `max_spread`:
    then it is not known whether the images are alike.

    Args:
        judgements: query_image_id, image_id, annotator, score.
    """
    pairs = pair_grades(judgements)
    return pairs.where((F.col("grade") >= min_grade) & (F.col("spread") <= max_spread)).drop("spread")


def agreement(judgements: DataFrame) -> tuple[float | None, int]:
    """Return how far annotators agree, and the number of pairs with several annotators.

    It is Krippendorff's alpha for ordered values (Krippendorff, "Computing Krippendorff's alpha-reliability", 2011):
    1 if all annotators of a pair give the same score, 0 if they agree as by chance. None if no pair has several
    annotators, or all their scores are the same.

    Args:
        judgements: query_image_id, image_id, annotator, score from 0 to 5.
    """
    counted = judgements.groupBy("query_image_id", "image_id").agg(
        *(F.count_if(F.col("score") == score).alias(f"n{score}") for score in range(MAX_SCORE + 1)),
        F.count("*").alias("n"),
    )
    several = counted.where("n > 1")
    # How often two annotators of a pair gave the scores c and k: each pair of images counts for its n annotators.
    coincidences = [
        F.sum(F.col(f"n{c}") * (F.col(f"n{k}") - int(c == k)) / (F.col("n") - 1))
        for c in range(MAX_SCORE + 1)
        for k in range(MAX_SCORE + 1)
    ]
    row = several.agg(F.count("*"), *coincidences).collect()[0]
    pairs = int(row[0])
    if not pairs:
        return None, 0
    return _alpha(np.array(row[1:], dtype=np.float64).reshape(MAX_SCORE + 1, MAX_SCORE + 1)), pairs


def _alpha(coincidences: NDArray[np.float64]) -> float | None:
    """Return alpha of the matrix of coincidences, (values, values); None if only one value occurs."""
    totals = coincidences.sum(axis=1)
    distances = np.zeros_like(coincidences)
    for c in range(len(totals)):
        for k in range(c + 1, len(totals)):
            distances[c, k] = distances[k, c] = (totals[c : k + 1].sum() - (totals[c] + totals[k]) / 2) ** 2
    expected = (np.outer(totals, totals) * distances).sum() / (totals.sum() - 1)
    if not expected:
        return None
    return float(1 - (coincidences * distances).sum() / expected)
