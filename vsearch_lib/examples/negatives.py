"""Negatives of each example: at random, of the same tag, or near the query in the published index."""

from dataclasses import dataclass
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from vsearch_lib.examples.urns import drawn, in_urns
from vsearch_lib.spark.checkpoint import checkpointed

# The rules by which negatives are chosen, in this order: random ones fill what the others leave.
_FROM_INDEX, _SAME_TAG, _RANDOM = 0, 1, 2
# Of the images drawn at random, some may be relevant: more are drawn than needed.
_SPARE_DRAWS = 8


@dataclass(frozen=True)
class Wanted:
    """How many negatives an example gets: in all, and at most from the index and of the same tag."""

    total: int
    from_index: int
    same_tag: int

    @classmethod
    def of(cls, total: int, *, index_share: float, same_tag_share: float) -> "Wanted":
        """Return the numbers for `total` negatives and shares of 0 to 1, whose sum is at most 1."""
        from_index = round(total * index_share)
        return cls(total, from_index, min(total - from_index, round(total * same_tag_share)))


def with_negatives(
    positives: DataFrame,
    images: DataFrame,
    related: DataFrame,
    neighbours: DataFrame | None,
    wanted: Wanted,
    *,
    seed: int,
) -> DataFrame:
    """Return the examples that have `wanted.total` negatives, with candidate_image_ids and label.

    A negative is one of `images`, and of another group than the query, the positive and the other negatives; its group
    is not related to that of the query or the positive. The positive is at a random index among the candidates, the
    label. An example with too few such images is left out.

    Args:
        positives: example_id, query_image_id, image_id (the positive), and any other columns.
        images: the images of one split that everybody may see: image_id, group, tags.
        related: group, other_group, in both directions.
        neighbours: query_image_id, image_id, rank: images near a query; None if none are wanted.
        wanted: how many negatives, and of which kind.
        seed: of the random choices.
    """
    label = F.pmod(F.xxhash64("example_id", F.lit(seed)), F.lit(wanted.total + 1)).cast("int")
    kept = [F.col(name) for name in positives.columns if name != "image_id"]
    if not wanted.total:
        alone = F.array("image_id").alias("candidate_image_ids")
        return positives.select(*kept, alone, F.lit(0).alias("label"))
    grouped = checkpointed(_with_groups(positives, images))
    picked = _picked(grouped, images, neighbours, wanted, seed)
    chosen = _chosen(_allowed(picked, related), wanted)
    whole = positives.join(chosen.where(F.size("others") == wanted.total), "example_id")
    candidates = F.concat(
        F.slice("others", F.lit(1), label), F.array("image_id"), F.slice("others", label + 1, F.lit(wanted.total))
    )
    return whole.select(*kept, candidates.alias("candidate_image_ids"), label.alias("label"))


def _with_groups(positives: DataFrame, images: DataFrame) -> DataFrame:
    """Return example_id, query_image_id, query_group, positive_group, and the query's tags."""
    query = images.select(F.col("image_id").alias("query_image_id"), F.col("group").alias("query_group"), "tags")
    positive = images.select("image_id", F.col("group").alias("positive_group"))
    joined = positives.join(query, "query_image_id").join(positive, "image_id")
    return joined.select("example_id", "query_image_id", "query_group", "positive_group", "tags")


def _picked(
    grouped: DataFrame, images: DataFrame, neighbours: DataFrame | None, wanted: Wanted, seed: int
) -> DataFrame:
    """Return possible negatives: example_id, query_group, positive_group, rule, draw, image_id, group."""
    # One image stands for its group: no two candidates look the same, and popular pictures count once.
    group = images.groupBy("group").agg(F.min("image_id").alias("image_id"), F.min_by("tags", "image_id").alias("tags"))
    everything = in_urns(group.select(F.lit("").alias("kind"), "group", "image_id"), seed=seed)
    examples, draws = grouped.withColumn("kind", F.lit("")), 2 * wanted.total + _SPARE_DRAWS
    picked = [_by_rule(_RANDOM, drawn(examples, everything, draws=draws, seed=seed))]
    if wanted.same_tag:
        tagged = group.select(F.explode(F.array_distinct("tags")).alias("kind"), "group", "image_id")
        tag = F.element_at("tags", 1 + F.pmod(F.xxhash64("example_id", F.lit(seed)), F.size("tags")).cast("int"))
        examples, draws = grouped.where(F.size("tags") > 0).withColumn("kind", tag), 2 * wanted.same_tag + _SPARE_DRAWS
        picked.append(_by_rule(_SAME_TAG, drawn(examples, in_urns(tagged, seed=seed), draws=draws, seed=seed)))
    if neighbours is not None and wanted.from_index:
        found = neighbours.join(images.select("image_id", "group"), "image_id").drop("image_id").join(group, "group")
        near = grouped.drop("tags").join(found, "query_image_id").withColumn("draw", F.col("rank"))
        picked.append(_by_rule(_FROM_INDEX, near))
    return reduce(DataFrame.unionByName, picked)


def _by_rule(rule: int, picked: DataFrame) -> DataFrame:
    return picked.select(
        "example_id",
        "query_group",
        "positive_group",
        F.lit(rule).alias("rule"),
        F.col("draw").cast("int"),
        "image_id",
        "group",
    )


def _allowed(picked: DataFrame, related: DataFrame) -> DataFrame:
    """Return the picked images that are not known to belong to the query or the positive."""
    others = picked.where("group NOT IN (query_group, positive_group)")
    for side in ("query_group", "positive_group"):
        known = related.select(F.col("group").alias(side), F.col("other_group").alias("group"))
        others = others.join(known, [side, "group"], "left_anti")
    return others


def _chosen(allowed: DataFrame, wanted: Wanted) -> DataFrame:
    """Return example_id and others: at most `wanted.total` different images, hard ones first, as many as wanted."""
    place = F.struct("rule", "draw", "image_id")
    listed = allowed.groupBy("example_id").agg(F.sort_array(F.collect_list(place)).alias("places"))

    def of_rule(rule: int, limit: int) -> Column:
        images = F.filter("places", lambda one: one["rule"] == rule)["image_id"]
        return F.slice(F.array_distinct(images), 1, limit)

    best = F.concat(
        of_rule(_FROM_INDEX, wanted.from_index), of_rule(_SAME_TAG, wanted.same_tag), of_rule(_RANDOM, wanted.total)
    )
    return listed.select("example_id", F.slice(F.array_distinct(best), 1, wanted.total).alias("others"))
