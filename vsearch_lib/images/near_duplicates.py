"""Newly decoded pictures → what changes in the groups of pictures that look the same, over the whole catalogue."""

from itertools import combinations

from pyspark.sql import DataFrame, Row, Window
from pyspark.sql import functions as F

from vsearch_lib.errors import VsearchError
from vsearch_lib.spark.checkpoint import checkpointed

# Bits in which the perceptual hashes of near-duplicates may differ; half of a hash's bits are set, so differences are
# even. Measured on 3,781 photos of clothes, one of them there twice, and on copies made of each of them:
#
#   distance                       0      2      4      6      8
#   found: JPEG quality 50      87 %   99.9   100    100    100
#   found: half the size        91 %   99.9   100    100    100
#   found: a tenth brighter     73 %   97     99.7   100    100
#   found: 3 % cropped away      5 %   36     73     93     99
#   pairs of photos joined       1      1      6     42    188
#   largest group                2      2      2      9     52
#
# The five more at 4 are different clothes, photographed alike. A wider distance would find more crops, but what it
# joins wrongly grows with the square of the catalogue: at 4, each of two million such photos would have 1.4 strangers
# beside it, and one chain of them would run through most of the catalogue.
MAX_DISTANCE = 2

# Of d + 2 blocks, two are the same in any two hashes that differ in d bits: no pair is lost. Two of four blocks are 32
# bits, so that even a catalogue of one kind of picture spreads: unlike a plain band of 64 / (d + 1) bits, none needs
# a cut for being full, and a cut would make the groups depend on the order of arrival.
_BLOCKS = MAX_DISTANCE + 2
_DIGITS = 16 // _BLOCKS

# Rounds grow with the logarithm of the longest chain, and most groups take one: at fifty something is wrong.
_MAX_ROUNDS = 50


def regroup(new: DataFrame, pixels: DataFrame, groups: DataFrame) -> DataFrame:
    """Return the rows of `near_duplicates` (sha256, group_sha256) that are new or changed once `new` has come in.

    `new` and `pixels` are rows (sha256, phash): the pictures that came in, and all pictures, with or without them;
    `groups` is `near_duplicates` as it was before. Whatever the order in which pictures come, and in however many
    parts, the table ends up the same: a row a picture that has near-duplicates, directly or through others.

    `new` is read once, here; the others here and again when the answer is read.
    """
    newcomers = checkpointed(new.select("sha256", "phash").distinct())
    none = groups.select("sha256", "group_sha256").limit(0)
    if newcomers.isEmpty():
        return none
    # Pictures of the same hash are one in the search: thousands of white ones are compared with the others once.
    same_hash = Window.partitionBy("phash")
    newcomers = newcomers.select(
        "sha256", F.min("sha256").over(same_hash).alias("node"), "phash", F.count("*").over(same_hash).alias("copies")
    )
    arrived = newcomers.where("sha256 = node")
    known = pixels.join(newcomers, "sha256", "left_anti").groupBy("phash").agg(F.min("sha256").alias("node"))
    links = checkpointed(_links(arrived, known, groups))
    if links.isEmpty():
        return none
    nodes = _components(links)
    # Who stands behind a node: newcomers of one hash, a known picture that was alone, or the members of a group.
    alone = links.where("NOT grouped").select(F.col("other").alias("sha256"), F.col("other").alias("node")).distinct()
    ungrouped = newcomers.select("sha256", "node").unionByName(alone).withColumn("before", F.lit(None).cast("string"))
    members = groups.select("sha256", F.col("group_sha256").alias("node"), F.col("group_sha256").alias("before"))
    moved = ungrouped.unionByName(members).join(nodes, "node").where("before IS NULL OR before != centre")
    return moved.select("sha256", F.col("centre").alias("group_sha256")).distinct()


def _links(arrived: DataFrame, known: DataFrame, groups: DataFrame) -> DataFrame:
    """Return the links (node, other, grouped) of arrived hashes: to hashes near them, and to themselves where shared.

    A node is the smallest sha256 of a new hash; the other is one too, or the known picture of a hash, or its group.
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
    """Return a row (node, bits, key) for each hash and each two of its blocks: near hashes share a key."""
    blocks = [F.substring("phash", 1 + i * _DIGITS, _DIGITS) for i in range(_BLOCKS)]
    keys = [F.concat(F.lit(f"{i} {j} "), blocks[i], blocks[j]) for i, j in combinations(range(_BLOCKS), 2)]
    # In two halves: 64 bits at once would not fit a signed number.
    high, low = (F.conv(F.substring("phash", start, 8), 16, 10).cast("bigint") for start in (1, 9))
    return hashes.select(
        "node", F.shiftleft(high, 32).bitwiseOR(low).alias("bits"), F.explode(F.array(*keys)).alias("key")
    )


def _components(links: DataFrame) -> DataFrame:
    """Return (node, centre) for each node of the links, the centre being the smallest node that it is linked with.

    Large-star and small-star in turn (Kiveris et al., 2014) until every node hangs on its centre alone.
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
    raise VsearchError(f"near-duplicates: groups have not settled after {_MAX_ROUNDS} rounds")


def _fingerprint(edges: DataFrame) -> Row | None:
    """What two equal sets of edges have in common, and others but for a chance of 1 in 2^64."""
    return edges.agg(F.count("*"), F.bit_xor(F.xxhash64("node", "centre"))).first()


def _large_star(edges: DataFrame) -> DataFrame:
    """Hang every larger neighbour of a node on the smallest of its neighbours and itself."""
    both = edges.unionByName(edges.select(F.col("centre").alias("node"), F.col("node").alias("centre")))
    smallest = F.least("node", F.min("centre").over(Window.partitionBy("node")))
    linked = both.select("node", F.col("centre").alias("neighbour"), smallest.alias("centre"))
    return linked.where("neighbour > node").select(F.col("neighbour").alias("node"), "centre").distinct()


def _small_star(edges: DataFrame) -> DataFrame:
    """Hang every node and its smaller neighbours on the smallest of these."""
    smallest = F.min("centre").over(Window.partitionBy("node"))
    linked = edges.select(F.explode(F.array("node", "centre")).alias("node"), smallest.alias("centre"))
    return linked.where("node != centre").distinct()
