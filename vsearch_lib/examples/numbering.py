"""Consecutive numbers for rows, in a random order, without sorting all of them in one task."""

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

_BUCKETS = 256


def numbered(rows: DataFrame, key: str, *, seed: int) -> DataFrame:
    """Return `rows` with the column `number`, 0 … n-1, in an order that depends only on the `key`s and the seed.

    Args:
        rows: with different values in the column `key`.
    """
    bucketed = rows.withColumn("_bucket", F.pmod(F.xxhash64(key, F.lit(seed), F.lit("order")), F.lit(_BUCKETS)))
    sizes = bucketed.groupBy("_bucket").count()
    before = F.sum("count").over(Window.orderBy("_bucket").rowsBetween(Window.unboundedPreceding, -1))
    starts = sizes.select("_bucket", F.coalesce(before, F.lit(0)).alias("_start"))
    within = F.row_number().over(Window.partitionBy("_bucket").orderBy(F.xxhash64(key, F.lit(seed)), key))
    counted = bucketed.withColumn("_within", within).join(F.broadcast(starts), "_bucket")
    return counted.withColumn("number", F.col("_start") + F.col("_within") - 1).drop("_bucket", "_start", "_within")
