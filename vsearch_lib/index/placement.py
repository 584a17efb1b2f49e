"""Which shard an image stands in, and which task writes the shard."""

from functools import cache

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F


def in_shards(rows: DataFrame, shards: int) -> DataFrame:
    """Bring the rows of each shard into a partition of their own; adds `shard` and `place`, which they are placed by.

    An image's shard is a stable hash of `image_id` modulo `shards`: it keeps it. Tables placed for as many shards are
    joined by `place` and more without being moved again.
    """
    # Spark partitions by a hash of the key, which would put some shards together and leave tasks idle: each shard is
    # given a key whose hash leads to its own partition.
    keys = F.array(*(F.lit(key) for key in _keys(shards)))
    shard = F.pmod(F.xxhash64("image_id"), F.lit(shards)).cast("int")
    numbered = rows.withColumn("shard", shard).withColumn("place", F.get(keys, F.col("shard")))
    return numbered.repartition(shards, "place")


@cache
def _keys(partitions: int) -> list[int]:
    """Return an integer for each partition that Spark's hash partitioning puts there."""
    # Random residues reach all of n after about n·ln n draws: 64·n leave none out below e^64.
    numbers = SparkSession.active().range(64 * partitions).select(F.col("id").cast("int").alias("key"))
    places = numbers.groupBy(F.pmod(F.hash("key"), F.lit(partitions)).alias("place")).agg(F.min("key").alias("key"))
    found = {row["place"]: row["key"] for row in places.collect()}
    return [found[place] for place in range(partitions)]
