"""Newly decoded pictures → the changes in the groups of pictures that look the same, over the whole catalogue."""

from itertools import combinations

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from vsearch_lib.spark.checkpoint import checkpointed
from vsearch_lib.spark.components import components

# Perceptual hashes of near-duplicates differ in at most so many bits. Half of a hash's bits are set, so every distance
# is even. Measured on 3,781 photos of clothes (one photo is in the set twice), and on copies made of each photo:
#
#   distance                       0      2      4      6      8
#   found: JPEG quality 50      87 %   99.9   100    100    100
#   found: half the size        91 %   99.9   100    100    100
#   found: a tenth brighter     73 %   97     99.7   100    100
#   found: 3 % cropped away      5 %   36     73     93     99
#   pairs of photos joined       1      1      6     42    188
#   largest group                2      2      2      9     52
#
# The five additional pairs at distance 4 are different clothes, photographed alike. A greater distance would find more
# crops, but the number of wrong pairs grows with the square of the catalogue: at distance 4, each of two million such
# photos would be joined with 1.4 different ones, and one chain of pairs would join most of the catalogue.
MAX_DISTANCE = 2

# If a hash is divided into d + 2 blocks, two hashes that differ in d bits share two blocks: no pair is lost. Two of
# four blocks are 32 bits, so even pictures of one kind spread over many keys. Keys of one band of 64 / (d + 1) bits
# would have too many pictures and need a limit, and a limit would make the groups depend on the order of arrival.
_BLOCKS = MAX_DISTANCE + 2
_DIGITS = 16 // _BLOCKS


def regroup(new: DataFrame, pixels: DataFrame, groups: DataFrame) -> DataFrame:
    """Return the rows of `near_duplicates` (sha256, group_sha256) that are new or change because of the pictures `new`.

    `new` and `pixels` are rows (sha256, phash): the new pictures, and all pictures, with or without the new ones;
    `groups` is `near_duplicates` before the change. The final table does not depend on the order of the pictures, or on
    their division into runs: it has one row per picture that has near-duplicates, directly or through other pictures.

    `new` is read once, in this call; the other frames in this call, and again when the result is read.
    """
    newcomers = checkpointed(new.select("sha256", "phash").distinct())
    no_rows = groups.select("sha256", "group_sha256").limit(0)
    if newcomers.isEmpty():
        return no_rows
    # Pictures with the same hash are compared as one: thousands of white pictures take a single comparison.
    same_hash = Window.partitionBy("phash")
    newcomers = newcomers.select(
        "sha256", F.min("sha256").over(same_hash).alias("node"), "phash", F.count("*").over(same_hash).alias("copies")
    )
    arrived = newcomers.where("sha256 = node")
    known = pixels.join(newcomers, "sha256", "left_anti").groupBy("phash").agg(F.min("sha256").alias("node"))
    links = checkpointed(_links(arrived, known, groups))
    if links.isEmpty():
        return no_rows
    nodes = components(links)
    # The pictures of a node: new pictures with one hash, a known picture without a group, or the members of a group.
    alone = links.where("NOT grouped").select(F.col("other").alias("sha256"), F.col("other").alias("node")).distinct()
    ungrouped = newcomers.select("sha256", "node").unionByName(alone).withColumn("before", F.lit(None).cast("string"))
    members = groups.select("sha256", F.col("group_sha256").alias("node"), F.col("group_sha256").alias("before"))
    moved = ungrouped.unionByName(members).join(nodes, "node").where("before IS NULL OR before != centre")
    return moved.select("sha256", F.col("centre").alias("group_sha256")).distinct()


def _links(arrived: DataFrame, known: DataFrame, groups: DataFrame) -> DataFrame:
    """Return the links (node, other, grouped) of new hashes: to near hashes, and to itself if pictures share the hash.

    `node` is the smallest sha256 of the pictures with a new hash; `other` is such a node, or a known picture of a near
    hash, or the group of that picture (`grouped`).
    """
    left = _keyed(arrived.select("phash", "node"))
    right = _keyed(arrived.select("phash", "node").unionByName(known)).withColumnRenamed("node", "picture")
    right = right.withColumnRenamed("bits", "other_bits")
    near = left.join(right, "key").where(F.bit_count(F.col("bits").bitwiseXOR(F.col("other_bits"))) <= MAX_DISTANCE)
    near = near.where("node != picture").select("node", "picture").distinct()
    shared = arrived.where("copies > 1").select("node", F.col("node").alias("picture"))
    named = groups.select(F.col("sha256").alias("picture"), "group_sha256")
    return (
        near.unionByName(shared)
        .join(named, "picture", "left")
        .select(
            "node",
            F.coalesce("group_sha256", "picture").alias("other"),
            F.col("group_sha256").isNotNull().alias("grouped"),
        )
    )


def _keyed(hashes: DataFrame) -> DataFrame:
    """Return one row (node, bits, key) for each hash and each pair of its blocks: near hashes share a key."""
    blocks = [F.substring("phash", 1 + i * _DIGITS, _DIGITS) for i in range(_BLOCKS)]
    keys = [F.concat(F.lit(f"{i} {j} "), blocks[i], blocks[j]) for i, j in combinations(range(_BLOCKS), 2)]
    # Converted in two halves, because conv() of 64 bits does not fit a signed number.
    high, low = (F.conv(F.substring("phash", start, 8), 16, 10).cast("bigint") for start in (1, 9))
    return hashes.select(
        "node", F.shiftleft(high, 32).bitwiseOR(low).alias("bits"), F.explode(F.array(*keys)).alias("key")
    )
