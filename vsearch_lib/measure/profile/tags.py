"""How evenly tags are used, and which tags say the same thing."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from vsearch_lib.figures import Figure

IMPLIED_FROM = 0.95  # share of a tag's images from which another tag is redundant
_MIN_IMAGES = 10  # of a tag; what fewer images share may be chance
_MAX_TAGS = 1000  # the most frequent, of which pairs are counted
_TAGS_PER_IMAGE = 30  # so that an image makes at most 435 pairs
_TOO_COMMON = 0.5  # share of all images: most tags go along with one that so many have
_MAX_PAIRS = 100


@dataclass(frozen=True)
class RedundantPair:
    """A tag of which nearly every image also has the tag `other`, which is at least as frequent.

    Attributes:
        both: the images with both tags.
        conditional: their share among those with `tag`.
        jaccard: their share among those with either; near 1, the tags are the same.
    """

    tag: str
    other: str
    both: int
    conditional: float
    jaccard: float


def balance_figures(images: DataFrame) -> list[Figure]:
    """Return how many tags `images` (tags) use, and how evenly; none if there are no tags.

    `effective_tags` is the number of equally frequent tags with the same entropy (Hill 1973, "Diversity and evenness";
    order 1). `tag_gini` is 0 if all tags are equally frequent, and near 1 if few of them are on nearly all images.
    """
    used = images.select(F.explode(F.array_distinct("tags")).alias("tag")).groupBy("tag").count()
    # There are at most √(2 × uses) different counts, however many tags there are.
    rows = used.groupBy("count").agg(F.count("*").alias("tags")).collect()
    return balance({row["count"]: row["tags"] for row in rows})


def balance(tags_by_count: Mapping[int, int]) -> list[Figure]:
    """Return the figures of `balance_figures`, from how many tags have each number of images."""
    if not tags_by_count:
        return []
    counts = np.array(sorted(tags_by_count), dtype=np.float64)
    tags = np.array([tags_by_count[int(count)] for count in counts], dtype=np.float64)
    total, uses = tags.sum(), (tags * counts).sum()
    entropy = np.log(uses) - (tags * counts * np.log(counts)).sum() / uses
    # Half of the sum of differences of all pairs, from the ranks: the ranks of equal counts have their mean.
    ranks = np.cumsum(tags) - (tags - 1) / 2
    gini = 2 * (ranks * tags * counts).sum() / (total * uses) - (total + 1) / total
    return [
        Figure("tags_used", int(total)),
        Figure("effective_tags", float(np.exp(entropy)), n=int(total)),
        Figure("tag_gini", float(max(gini, 0.0)), n=int(total)),
    ]


def redundant_pairs(images: DataFrame) -> list[RedundantPair]:
    """Return the pairs of tags of `images` (image_id, tags) that say the same thing or contain one another.

    Pairs are counted among the most frequent tags. A tag that most images have is left out: nearly everything goes
    along with it.
    """
    uses = images.select("image_id", F.explode(F.array_distinct("tags")).alias("tag"))
    counts = uses.groupBy("tag").count().where(F.col("count") >= _MIN_IMAGES)
    frequent = counts.where(F.col("count") <= _TOO_COMMON * images.count())
    frequent = frequent.orderBy(F.desc("count"), "tag").limit(_MAX_TAGS)
    number = {row["tag"]: row["count"] for row in frequent.collect()}
    kept = uses.join(F.broadcast(frequent), "tag").groupBy("image_id")
    own = kept.agg(F.slice(F.array_sort(F.collect_list("tag")), 1, _TAGS_PER_IMAGE).alias("tags"))
    firsts = own.select(F.explode("tags").alias("a"), "tags")
    pairs = firsts.select("a", F.explode("tags").alias("b")).where("a < b").groupBy("a", "b").count()
    smaller = F.least("a_count", "b_count")
    counted = (
        pairs.join(F.broadcast(frequent.select(F.col("tag").alias("a"), F.col("count").alias("a_count"))), "a")
        .join(F.broadcast(frequent.select(F.col("tag").alias("b"), F.col("count").alias("b_count"))), "b")
        .where(F.col("count") >= IMPLIED_FROM * smaller)
        .orderBy(F.desc(F.col("count") / (F.col("a_count") + F.col("b_count") - F.col("count"))), "a", "b")
        .limit(_MAX_PAIRS)
    )
    found = []
    for row in counted.select("a", "b", "count").collect():
        tag, other = sorted((row["a"], row["b"]), key=lambda tag: (number[tag], tag))
        both = row["count"]
        jaccard = both / (number[tag] + number[other] - both)
        found.append(RedundantPair(tag, other, both, both / number[tag], jaccard))
    return found
