"""Which pixels an example was made from: an image may have other pixels later."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F


def with_pixels(examples: DataFrame, images: DataFrame) -> DataFrame:
    """Return `examples` with the array `sha256s`: the hash of the query's pixels, then those of the candidates'.

    `images` has image_id and sha256 of every image that an example names.
    """
    named = examples.select(
        "example_id",
        F.posexplode(F.concat(F.array("query_image_id"), "candidate_image_ids")).alias("i", "image_id"),
    )
    pixels = named.join(images.select("image_id", "sha256"), "image_id")
    listed = F.sort_array(F.collect_list(F.struct("i", "sha256")))["sha256"]
    return examples.join(pixels.groupBy("example_id").agg(listed.alias("sha256s")), "example_id")
