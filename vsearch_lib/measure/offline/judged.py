"""The queries that are measured, the images they are ranked over, and how people scored the pairs."""

from collections.abc import Iterator

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from vsearch_lib.lake import Lake
from vsearch_lib.measure.offline.ranking import Judgements


def pictures_of(lake: Lake, images: DataFrame) -> Iterator[tuple[str, bytes]]:
    """Yield image id and stored JPEG of `images` (image_id, sha256); the driver holds few of them at once."""
    stored = images.join(lake.read("image_pixels").select("sha256", "jpeg"), "sha256").select("image_id", "jpeg")
    return ((row["image_id"], bytes(row["jpeg"])) for row in stored.toLocalIterator())


def judged_queries(judgements: DataFrame, images: DataFrame, *, seed: int, limit: int) -> dict[str, dict[str, int]]:
    """Return query → image → score of `judged_pairs`, in memory."""
    judged: dict[str, dict[str, int]] = {}
    for row in judged_pairs(judgements, images, seed=seed, limit=limit).collect():
        judged.setdefault(row["query_image_id"], {})[row["image_id"]] = row["score"]
    return dict(sorted(judged.items()))


def judged_pairs(judgements: DataFrame, images: DataFrame, *, seed: int, limit: int) -> DataFrame:
    """Return query_image_id, image_id, score for at most `limit` judged queries of the test split, by a seeded hash.

    A pair's score is the mean over its annotators, rounded; only pairs of images in `images` (image_id, split)
    count.
    """
    held_out = images.where("split = 'test'").select(F.col("image_id").alias("query_image_id"))
    pairs = judgements.join(images.select("image_id"), "image_id").where("query_image_id != image_id")
    pairs = pairs.join(held_out, "query_image_id")
    chosen = pairs.select("query_image_id").distinct().orderBy(F.xxhash64("query_image_id", F.lit(seed))).limit(limit)
    scores = pairs.join(chosen, "query_image_id").groupBy("query_image_id", "image_id")
    return scores.agg(F.bround(F.avg("score")).cast("int").alias("score"))


def measured_images(images: DataFrame, judged: Judgements, *, seed: int, limit: int) -> DataFrame:
    """Return the images (image_id, sha256) that exact rankings cover: the judged ones, then a seeded sample."""
    spark = images.sparkSession
    named = sorted({*judged, *(image for scores in judged.values() for image in scores)})
    first = spark.createDataFrame([(image,) for image in named], "image_id string").withColumn("judged", F.lit(True))
    ordered = images.select("image_id", "sha256").join(F.broadcast(first), "image_id", "left")
    return ordered.orderBy(F.col("judged").desc_nulls_last(), F.xxhash64("image_id", F.lit(seed))).limit(limit)
