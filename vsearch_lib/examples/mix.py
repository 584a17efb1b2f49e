"""The positives of all sources, weighted: which pairs become examples, and how much each counts in the loss."""

from collections.abc import Mapping
from functools import reduce

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

# Sums of decimals do not depend on the order of rows, as those of floats do: equal inputs give equal snapshots.
_EXACT = "decimal(20, 6)"


def mixed(
    sources: Mapping[str, DataFrame], weights: Mapping[str, float], *, pairs_per_query: int, seed: int
) -> DataFrame:
    """Return the examples, without negatives: example_id, query_image_id, image_id (the positive), source, weight.

    An average example of a source has the source's weight, and one of twice the strength twice the weight. At most
    `pairs_per_query` pairs of a source have the same query: the strongest, chosen at random among equals.

    Args:
        sources: name → its pairs: query_image_id, image_id, strength (above 0).
        weights: name → weight of the source, above 0.
    """
    examples = [
        _weighted(name, _strongest(pairs, pairs_per_query, seed), weights[name]) for name, pairs in sources.items()
    ]
    return reduce(DataFrame.unionByName, examples)


def _strongest(pairs: DataFrame, pairs_per_query: int, seed: int) -> DataFrame:
    exact = pairs.withColumn("strength", F.col("strength").cast(_EXACT)).where("strength > 0")
    chance = F.xxhash64("query_image_id", "image_id", F.lit(seed))
    of_query = Window.partitionBy("query_image_id").orderBy(F.desc("strength"), chance, "image_id")
    return exact.withColumn("_rank", F.row_number().over(of_query)).where(F.col("_rank") <= pairs_per_query)


def _weighted(source: str, pairs: DataFrame, weight: float) -> DataFrame:
    mean = F.broadcast(pairs.agg((F.sum("strength").cast("double") / F.count("*")).alias("_mean")))
    # An id may contain any character: JSON keeps the two apart.
    name = F.concat(F.lit(f"{source}:"), F.to_json(F.array("query_image_id", "image_id")))
    return pairs.crossJoin(mean).select(
        name.alias("example_id"),
        "query_image_id",
        "image_id",
        F.lit(source).alias("source"),
        (weight * F.col("strength").cast("double") / F.col("_mean")).cast("float").alias("weight"),
    )
