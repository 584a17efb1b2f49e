"""Which pictures are known to belong together: none of them may be a negative of another."""

from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F


def related_groups(known: list[DataFrame], images: DataFrame) -> DataFrame:
    """Return the pairs of different groups that belong together, in both directions: group, other_group.

    Images of one group belong together anyway. A pair with an image that is not in `images` is left out.

    Args:
        known: frames of (query_image_id, image_id), pairs that were judged or clicked as similar.
        images: image_id, group.
    """
    pairs = reduce(DataFrame.union, (frame.select("query_image_id", "image_id") for frame in known))
    one = images.select(F.col("image_id").alias("query_image_id"), "group")
    other = images.select("image_id", F.col("group").alias("other_group"))
    found = pairs.join(one, "query_image_id").join(other, "image_id").where("group != other_group")
    return (
        found.select("group", "other_group")
        .union(found.select(F.col("other_group").alias("group"), F.col("group").alias("other_group")))
        .distinct()
    )
