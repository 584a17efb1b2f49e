"""Validation: does a picture find the ones that it should, among images that training has not seen?"""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pyspark.sql import functions as F

from vsearch_lib.context import StepContext
from vsearch_lib.examples.judgements import judged_pairs
from vsearch_lib.examples.split import images_with_split
from vsearch_lib.vectors import Vectors

MIN_QUERIES = 20  # fewer say too little to choose between epochs
_QUERY_SHARE = 0.25  # of the pictures, at most
NEIGHBOURS = 10


@dataclass(frozen=True)
class Validation:
    """Queries of the validation split, and the catalogue in which they search.

    Attributes:
        catalogue: the sha256 of each picture, (n); the first ones are the queries, (q).
        relevant: (q, n) bool: whether annotators found the two alike; a query is not relevant to itself.
    """

    catalogue: list[str]
    relevant: NDArray[np.bool_]

    @property
    def queries(self) -> list[str]:
        """The sha256 of each query."""
        return self.catalogue[: len(self.relevant)]

    @property
    def is_enough(self) -> bool:
        """Whether enough queries have a relevant picture to choose between epochs."""
        return int(self.relevant.any(axis=1).sum()) >= MIN_QUERIES


def judged_validation(context: StepContext, training_pictures: Collection[str], *, max_pictures: int) -> Validation:
    """Return public images of the validation split that search among each other and among training pictures.

    Images without stored pixels are left out. Both directions of a judged pair count. If there are too many images, a
    seeded sample is taken.

    Args:
        context: of the step.
        training_pictures: their sha256.
        max_pictures: of the catalogue; the relevant ones come first.
    """
    chosen, spark = context.settings.examples, context.spark
    chance = F.xxhash64("sha256", F.lit(context.settings.training.seed))
    stored = context.lake.read("image_pixels").select("sha256")
    images = images_with_split(context.lake, context.settings).select("image_id", "sha256", "split")
    images = images.join(stored, "sha256", "left_semi")
    validating = images.where("split = 'validation'").select("sha256").distinct().orderBy(chance)
    validating = validating.limit(int(max_pictures * _QUERY_SHARE))
    queries = sorted(row["sha256"] for row in validating.collect())
    place = {sha256: i for i, sha256 in enumerate(queries)}
    rows = [(sha256, sha256 in place) for sha256 in {*queries, *training_pictures}]
    known = F.broadcast(spark.createDataFrame(rows, "sha256 string, asks boolean"))
    one = images.join(known, "sha256").select(F.col("image_id").alias("query_image_id"), "sha256", "asks")
    other = one.select(
        F.col("query_image_id").alias("image_id"), F.col("sha256").alias("other"), F.col("asks").alias("other_asks")
    )
    judged = judged_pairs(context.lake.read("judgements"), min_grade=chosen.min_grade, max_spread=chosen.max_spread)
    pairs = judged.join(one, "query_image_id").join(other, "image_id")
    pairs = pairs.where("sha256 != other AND (asks OR other_asks)")
    alike: list[tuple[str, str]] = []
    for row in pairs.select("sha256", "other").collect():
        alike += [pair for pair in ((row["sha256"], row["other"]), (row["other"], row["sha256"])) if pair[0] in place]
    relevant = {found for _, found in alike} - set(queries)
    others = sorted(set(training_pictures) - relevant - set(queries))
    rest = np.random.default_rng(context.settings.training.seed).permutation(len(others))
    catalogue = [*queries, *sorted(relevant), *(others[i] for i in rest)][:max_pictures]
    place = {sha256: i for i, sha256 in enumerate(catalogue)}
    matrix = np.zeros((len(queries), len(catalogue)), dtype=np.bool_)
    for query, found in alike:
        if found in place:
            matrix[place[query], place[found]] = True
    return Validation(catalogue, matrix)


def mutual_neighbours(vectors: Vectors, queries: int) -> NDArray[np.bool_]:
    """Return (queries, n): whether each of two vectors (n, d) is among the nearest `NEIGHBOURS` of the other.

    The queries are the first vectors; all are of unit length.
    """
    cosines = vectors @ vectors.T
    np.fill_diagonal(cosines, -np.inf)
    near = np.zeros(cosines.shape, dtype=np.bool_)
    count = min(NEIGHBOURS, len(vectors) - 1)
    if count > 0:
        np.put_along_axis(near, np.argpartition(-cosines, count - 1, axis=1)[:, :count], values=True, axis=1)
    return (near & near.T)[:queries]


def recall_of_each_query(vectors: Vectors, relevant: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return recall by exact search of each query that has a relevant picture, in their order.

    The recall of a query with r relevant pictures is the share of them among its first r answers (R-precision, Manning
    et al. 2008, "Introduction to Information Retrieval", 8.4): a fixed number of answers would be full of relevant ones
    long before the ranking is as good as it gets. If there are fewer than `MIN_QUERIES` such queries, none is returned.

    Args:
        vectors: (n, d) of unit length; the first ones are the queries.
        relevant: (queries, n); a query is not relevant to itself.
    """
    wanted = relevant.sum(axis=1)
    if np.count_nonzero(wanted) < MIN_QUERIES:
        return np.empty(0)
    cosines = vectors[: len(relevant)] @ vectors.T
    np.fill_diagonal(cosines, -np.inf)
    in_order = np.take_along_axis(relevant, np.argsort(-cosines, axis=1, kind="stable"), axis=1)
    counted = np.arange(len(vectors)) < wanted[:, None]
    found = (in_order & counted).sum(axis=1)
    return np.asarray((found / wanted.clip(1))[wanted > 0], dtype=np.float64)
