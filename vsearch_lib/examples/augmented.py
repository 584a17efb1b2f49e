"""Self-supervised examples: a picture's positive is another view of itself, its negatives are other pictures."""

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

_BUCKETS = 256


def augmentation_examples(images: DataFrame, *, candidates: int, seed: int) -> DataFrame:
    """Return one row for each image: example_id, query_image_id, candidate_image_ids, label, source, weight.

    `images` (image_id) are those that training may see. Each query is once among its `candidates`, at a seeded random
    index, its `label`; the others are chosen at random and are never the query itself. If there are fewer images than
    `candidates`, there are fewer candidates.
    """
    indexed = _indexed(images.select("image_id"), seed)
    total = indexed.count()
    wanted = min(candidates, total)
    draws = indexed.withColumn("draw", F.explode(F.sequence(F.lit(0), F.lit(wanted - 1)))) if wanted > 1 else None
    own = indexed.select(F.col("image_id").alias("query_image_id"), "index")
    label = F.pmod(F.xxhash64("query_image_id", F.lit(seed)), F.lit(wanted)).cast("int")
    if draws is None:
        listed = own.withColumn("others", F.array().cast("array<string>"))
    else:
        # Steps of a seeded stride through the other images: random enough, distinct for a query, and a simple join.
        stride = F.pmod(F.xxhash64("image_id", F.lit(seed), F.lit("stride")), F.lit(total - 1))
        offset = F.lit(1) + F.pmod(stride + F.col("draw"), F.lit(total - 1))
        picks = draws.where(F.col("draw") < wanted - 1).select(
            F.col("image_id").alias("query_image_id"),
            "draw",
            F.pmod(F.col("index") + offset, F.lit(total)).alias("index"),
        )
        picked = picks.join(indexed, "index").groupBy("query_image_id")
        others = picked.agg(F.sort_array(F.collect_list(F.struct("draw", "image_id")))["image_id"].alias("others"))
        listed = own.join(others, "query_image_id")
    return listed.select(
        F.concat(F.lit("augmentation:"), "query_image_id").alias("example_id"),
        "query_image_id",
        F.concat(
            F.slice("others", F.lit(1), label),
            F.array("query_image_id"),
            F.slice("others", label + 1, F.lit(wanted)),
        ).alias("candidate_image_ids"),
        label.alias("label"),
        F.lit("augmentation").alias("source"),
        F.lit(1.0).alias("weight"),
    )


def _indexed(images: DataFrame, seed: int) -> DataFrame:
    """Number the images 0 … n-1 in a seeded random order, without sorting all of them in one task."""
    bucket = F.pmod(F.xxhash64("image_id", F.lit(seed), F.lit("order")), F.lit(_BUCKETS))
    bucketed = images.withColumn("bucket", bucket)
    sizes = bucketed.groupBy("bucket").count()
    before = F.sum("count").over(Window.orderBy("bucket").rowsBetween(Window.unboundedPreceding, -1))
    starts = sizes.select("bucket", F.coalesce(before, F.lit(0)).alias("start"))
    within = F.row_number().over(Window.partitionBy("bucket").orderBy(F.xxhash64("image_id", F.lit(seed)), "image_id"))
    numbered = bucketed.withColumn("within", within).join(F.broadcast(starts), "bucket")
    return numbered.select("image_id", (F.col("start") + F.col("within") - 1).alias("index"))
