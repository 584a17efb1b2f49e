"""Positives that need no labels: each image is its own, because training looks at two different views of it."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F


def augmentation_pairs(images: DataFrame) -> DataFrame:
    """Return query_image_id, image_id and strength (1) of each of `images` (image_id), paired with itself."""
    return images.select(F.col("image_id").alias("query_image_id"), "image_id", F.lit(1.0).alias("strength"))
