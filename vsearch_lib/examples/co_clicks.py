"""Images that were clicked for the same queries form classes: each is a positive of another one of its class."""

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from vsearch_lib.spark.components import components

IMAGES_PER_QUERY = 20  # that are paired with each other: the most relevant ones


def co_click_classes(pairs: DataFrame, *, min_shared_queries: int, max_images: int) -> DataFrame:
    """Return the class of each image that has one: image_id, class (the smallest id in it).

    Two images that were clicked for `min_shared_queries` of the same queries are in one class, and so are images that
    are connected through others. A class of more than `max_images` images is left out: it is a chain of images that
    have little in common.

    Args:
        pairs: query_image_id, image_id, relevance: clicked pairs.
    """
    best = Window.partitionBy("query_image_id").orderBy(F.desc(F.round("relevance", 6)), "image_id")
    chosen = pairs.withColumn("_rank", F.row_number().over(best)).where(F.col("_rank") <= IMAGES_PER_QUERY)
    one, other = (chosen.select("query_image_id", F.col("image_id").alias(name)) for name in ("node", "other"))
    together = one.join(other, "query_image_id").where("node < other").groupBy("node", "other").count()
    links = together.where(F.col("count") >= min_shared_queries).select("node", "other")
    classes = components(links).select(F.col("node").alias("image_id"), F.col("centre").alias("class"))
    size = F.count("*").over(Window.partitionBy("class"))
    return classes.withColumn("_size", size).where(F.col("_size") <= max_images).drop("_size")


def co_click_pairs(classes: DataFrame, *, seed: int) -> DataFrame:
    """Return query_image_id, image_id and strength (1): each image with the next one of its class, in a random order.

    Args:
        classes: image_id, class; the images that may be positives and queries.
    """
    order = Window.partitionBy("class").orderBy(F.xxhash64("image_id", F.lit(seed)), "image_id")
    whole = order.rowsBetween(Window.unboundedPreceding, Window.unboundedFollowing)
    following = F.coalesce(F.lead("image_id").over(order), F.first("image_id").over(whole))
    paired = classes.select(F.col("image_id").alias("query_image_id"), following.alias("image_id"))
    return paired.where("query_image_id != image_id").withColumn("strength", F.lit(1.0))
