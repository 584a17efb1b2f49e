"""Which shard an image belongs to, and which task writes the shard."""

from functools import cache

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F


def in_shards(rows: DataFrame, shards: int) -> DataFrame:
    """Repartition `rows` so that each shard is one partition; adds the columns `shard` and `partition_key`.

    An image's shard is a stable hash of `image_id` modulo `shards`, so it never changes. Two tables with the same
    number of shards are joined by `partition_key` and further columns without another shuffle.
    """
    # Spark partitions by a hash of the key. By shard number, some partitions would get several shards and others none;
    # so each shard has a key whose hash leads to its own partition.
    keys = F.array(*(F.lit(key) for key in _keys(shards)))
    shard = F.pmod(F.xxhash64("image_id"), F.lit(shards)).cast("int")
    numbered = rows.withColumn("shard", shard).withColumn("partition_key", F.get(keys, F.col("shard")))
    return numbered.repartition(shards, "partition_key")


@cache
def _keys(partitions: int) -> list[int]:
    """Return for each partition an integer that Spark's hash partitioning puts there."""
    # Random residues reach all of n after about n·ln n draws: 64·n draws miss none if n is below e^64.
    numbers = SparkSession.active().range(64 * partitions).select(F.col("id").cast("int").alias("key"))
    partition = F.pmod(F.hash("key"), F.lit(partitions)).alias("partition")
    keys = {row["partition"]: row["key"] for row in numbers.groupBy(partition).agg(F.min("key").alias("key")).collect()}
    return [keys[number] for number in range(partitions)]
