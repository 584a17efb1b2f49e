"""Connected components of a graph whose edges are rows."""

from pyspark.sql import DataFrame, Row, Window
from pyspark.sql import functions as F

from vsearch_lib.errors import VsearchError
from vsearch_lib.spark.checkpoint import checkpointed

# The number of rounds grows with the logarithm of the longest chain, and most graphs need one: fifty are an error.
_MAX_ROUNDS = 50


def components(links: DataFrame) -> DataFrame:
    """Return (node, centre) for each node of `links` (node, other): the smallest node that it is connected with.

    Large-star and small-star alternate (Kiveris et al., "Connected components in MapReduce and beyond", SoCC 2014)
    until every node is linked to its centre alone.

    Raises:
        VsearchError: the components still change after fifty rounds.
    """
    edges = links.select(F.greatest("node", "other").alias("node"), F.least("node", "other").alias("centre"))
    stars = edges.where("node != centre").distinct()
    before = _fingerprint(stars)
    for _ in range(_MAX_ROUNDS):
        stars = checkpointed(_small_star(_large_star(stars)))
        now = _fingerprint(stars)
        if now == before:
            centres = stars.select("centre").union(edges.where("node = centre").select("centre"))
            itself = centres.select(F.col("centre").alias("node"), "centre")
            return stars.unionByName(itself).groupBy("node").agg(F.min("centre").alias("centre"))
        before = now
    raise VsearchError(f"connected components: they still change after {_MAX_ROUNDS} rounds")


def _fingerprint(edges: DataFrame) -> Row | None:
    """Return a fingerprint of a set of edges; two different sets share it with a probability of 1 in 2^64."""
    return edges.agg(F.count("*"), F.bit_xor(F.xxhash64("node", "centre"))).first()


def _large_star(edges: DataFrame) -> DataFrame:
    """Link every larger neighbour of a node to the smallest of the node and its neighbours."""
    both = edges.unionByName(edges.select(F.col("centre").alias("node"), F.col("node").alias("centre")))
    smallest = F.least("node", F.min("centre").over(Window.partitionBy("node")))
    linked = both.select("node", F.col("centre").alias("neighbour"), smallest.alias("centre"))
    return linked.where("neighbour > node").select(F.col("neighbour").alias("node"), "centre").distinct()


def _small_star(edges: DataFrame) -> DataFrame:
    """Link every node and its smaller neighbours to the smallest of these neighbours."""
    smallest = F.min("centre").over(Window.partitionBy("node"))
    linked = edges.select(F.explode(F.array("node", "centre")).alias("node"), smallest.alias("centre"))
    return linked.where("node != centre").distinct()
