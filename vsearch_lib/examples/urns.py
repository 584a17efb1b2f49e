"""Random draws at any scale: images lie in urns of bounded size, and a draw reads one urn, not the whole catalogue."""

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from vsearch_lib.spark.checkpoint import checkpointed

URN_SIZE = 4096  # mean number of images in an urn, if the kind has so many


def in_urns(items: DataFrame, *, seed: int) -> DataFrame:
    """Return `items` with urns (of their kind), urn, index and size: spread over urns, in a random order.

    If there are few items of a kind, they are all in one urn, so that any of them can be drawn.

    Args:
        items: kind, group (unique within a kind), and any other columns.
        seed: of the random order, which depends on nothing else.
    """
    counted = items.groupBy("kind").agg(F.ceil(F.count("*") / URN_SIZE).cast("int").alias("urns"))
    urn = F.pmod(F.xxhash64("group", F.lit(seed), F.lit("urn")), F.col("urns"))
    placed = items.join(F.broadcast(counted), "kind").withColumn("urn", urn)
    own = Window.partitionBy("kind", "urn")
    index = F.row_number().over(own.orderBy(F.xxhash64("group", F.lit(seed)), "group")) - 1
    return checkpointed(placed.withColumn("index", index).withColumn("size", F.count("*").over(own)))


def drawn(examples: DataFrame, urns: DataFrame, *, draws: int, seed: int) -> DataFrame:
    """Return up to `draws` different items for each example: its columns, draw (from 0), and those of the items.

    Args:
        examples: example_id, kind (of the items to draw), and any other columns.
        urns: what `in_urns` returned.
    """
    first = urns.where("index = 0")
    numbers = first.groupBy("kind").agg(F.first("urns").alias("_urns"))
    with_urn = examples.join(F.broadcast(numbers), "kind").withColumn("urn", F.pmod(_hash(seed, "urn"), F.col("_urns")))
    start = with_urn.join(first.select("kind", "urn", "size"), ["kind", "urn"])
    steps = F.sequence(F.lit(0), F.least(F.lit(draws).cast("bigint"), F.col("size")).cast("int") - 1)
    picked = start.withColumn("draw", F.explode(steps)).withColumn(
        "index", F.pmod(F.pmod(_hash(seed, "start"), F.col("size")) + F.col("draw"), F.col("size")).cast("int")
    )
    items = urns.drop("size", "urns")
    return picked.drop("_urns", "size").join(items, ["kind", "urn", "index"]).drop("urn", "index")


def _hash(seed: int, purpose: str) -> Column:
    return F.xxhash64("example_id", F.lit(seed), F.lit(purpose))
