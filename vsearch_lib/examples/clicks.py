"""What people clicked: the outcome of each impression, without robots, and the evidence for each pair of images."""

import numpy as np
import pyarrow as pa
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from vsearch_lib.config.examples import Clicks
from vsearch_lib.examples.propensity import (
    PRIOR,
    Counts,
    Examination,
    inverse_propensity,
    mean_relevance,
)

BUCKETS = 20  # of queries, for the interval of the examination curve


def outcomes(interactions: DataFrame, chosen: Clicks) -> DataFrame:
    """Return one row for each impression of an image for another: whether the user clicked, and looked long enough.

    Columns: user_id, request_id, query_image_id, displayed_image_id, position, index_version, variant, day, clicked.
    Searches by an uploaded picture are left out, because they say nothing about two images; so are clicks without an
    impression. An impression that was clicked several times is clicked once.
    """
    clicked = F.col("type") == "click"
    counts = clicked & (F.coalesce("dwell_ms", F.lit(chosen.min_dwell_ms)) >= chosen.min_dwell_ms)
    shown = F.col("type") == "impression"
    grouped = interactions.where("query_image_id != displayed_image_id").groupBy(
        "user_id", "request_id", "query_image_id", "displayed_image_id"
    )
    found = grouped.agg(
        F.min(F.when(shown, F.col("position"))).alias("position"),
        F.min(F.when(shown, F.col("event_date"))).alias("day"),
        F.min("index_version").alias("index_version"),
        F.min("variant").alias("variant"),
        F.coalesce(F.bool_or(counts), F.lit(False)).alias("clicked"),
    )
    return found.where("position IS NOT NULL")


def robots(outcomes: DataFrame, chosen: Clicks) -> DataFrame:
    """Return the users who are taken for robots or parts of a click farm: user_id, rule.

    The rules are: too many clicks in a day; nearly every impression is clicked; most clicks are on one image.
    """
    clicks = F.count_if("clicked")
    per_day = outcomes.groupBy("user_id", "day").agg(clicks.alias("clicks"), F.count("*").alias("shown"))
    per_user = per_day.groupBy("user_id").agg(
        F.max("clicks").alias("most_in_a_day"), F.sum("clicks").alias("clicks"), F.sum("shown").alias("shown")
    )
    on_one = outcomes.where("clicked").groupBy("user_id", "displayed_image_id").count()
    most = on_one.groupBy("user_id").agg(F.max("count").alias("most_on_one_image"))
    enough = F.col("clicks") >= chosen.min_clicks_of_robots
    rule = (
        F.when(F.col("most_in_a_day") > chosen.max_clicks_per_day, "too many clicks in a day")
        .when(enough & (F.col("clicks") > chosen.max_click_share * F.col("shown")), "clicks nearly everything")
        .when(
            enough & (F.col("most_on_one_image") > chosen.max_share_on_one_image * F.col("clicks")),
            "clicks one image again and again",
        )
    )
    judged = per_user.join(most, "user_id", "left").select("user_id", rule.alias("rule"))
    return judged.where("rule IS NOT NULL")


def once_per_user(outcomes: DataFrame) -> DataFrame:
    """Return the first impression of each pair of images for each user: nobody can vote twice for a pair."""
    order = Window.partitionBy("user_id", "query_image_id", "displayed_image_id").orderBy("day", "request_id")
    return outcomes.withColumn("_n", F.row_number().over(order)).where("_n = 1").drop("_n")


def count_outcomes(outcomes: DataFrame, chosen: Clicks) -> Counts:
    """Count the outcomes of a seeded sample of queries, in the driver: what the examination curve is estimated from.

    The counts of a query take some kilobytes, so those of 100,000 queries some hundred megabytes.
    """
    query = F.xxhash64("query_image_id", F.lit(chosen.seed))
    queries = (
        outcomes.select("query_image_id").distinct().orderBy(query, "query_image_id").limit(chosen.sampled_queries)
    )
    keys: dict[str, Column] = {
        "pair": F.xxhash64("query_image_id", "displayed_image_id"),
        "version": F.xxhash64(F.coalesce("index_version", F.lit(""))),
        "half": F.pmod(F.xxhash64("request_id", F.lit(chosen.seed)), F.lit(2)),
        "bucket": F.pmod(query, F.lit(BUCKETS)),
        "randomised": _randomised(chosen),
    }
    sampled = outcomes.join(F.broadcast(queries), "query_image_id", "left_semi").withColumns(keys)
    rows = sampled.groupBy(*keys, "position").agg(
        F.count("*").alias("impressions"), F.count_if("clicked").alias("clicks")
    )
    return _to_counts(rows.toArrow())


def evidence(outcomes: DataFrame, examination: Examination, chosen: Clicks) -> DataFrame:
    """Return what clicks say, without position bias, about pairs that were displayed and clicked often enough.

    Columns: query_image_id, image_id, impressions, clicks, relevance. `relevance` is how probably a user who looks is
    attracted, as `propensity.relevance` defines it, with `inverse_propensity`, which is limited, in place of
    1 / examination.
    """
    at_position = F.broadcast(_by_position(outcomes, examination, chosen))
    pairs = outcomes.join(at_position, "position").groupBy("query_image_id", "displayed_image_id")
    found = pairs.agg(
        F.count("*").alias("impressions"),
        F.count_if("clicked").alias("clicks"),
        F.sum(1 / F.col("inverse_propensity")).alias("_examined"),
        F.avg("mean_relevance").alias("_prior"),
    )
    enough = found.where(
        (F.col("impressions") >= chosen.min_pair_impressions) & (F.col("clicks") >= chosen.min_pair_clicks)
    )
    accident = examination.accident
    intended = (F.col("clicks") - accident * F.col("impressions")) / (1 - accident)
    relevance = (intended + PRIOR * F.col("_prior")) / (F.col("_examined") + PRIOR)
    return enough.select(
        "query_image_id",
        F.col("displayed_image_id").alias("image_id"),
        "impressions",
        "clicks",
        F.greatest(F.lit(0.0), F.least(F.lit(1.0), relevance)).alias("relevance"),
    )


def _randomised(chosen: Clicks) -> Column:
    if not chosen.randomised_variants:
        return F.lit(False)
    return F.coalesce(F.col("variant").isin(*chosen.randomised_variants), F.lit(False))


def _to_counts(rows: pa.Table) -> Counts:
    integers = ("pair", "version", "position", "half", "bucket", "impressions", "clicks")
    columns = {name: rows[name].to_numpy().astype(np.int64) for name in integers}
    return Counts(**columns, randomised=rows["randomised"].to_numpy().astype(bool))


def _by_position(outcomes: DataFrame, examination: Examination, chosen: Clicks) -> DataFrame:
    """Return position, inverse_propensity and mean_relevance of each position that occurs."""
    counted = outcomes.groupBy("position").agg(F.count("*"), F.count_if("clicked")).collect()
    position, impressions, clicks = np.array(counted, dtype=np.int64).reshape(-1, 3).T
    columns = (
        position,
        inverse_propensity(examination, position, max_weight=chosen.max_weight),
        mean_relevance(examination, position, impressions.astype(np.float64), clicks.astype(np.float64)),
    )
    rows = list(zip(*(column.tolist() for column in columns), strict=True))
    names = "position int, inverse_propensity double, mean_relevance double"
    return outcomes.sparkSession.createDataFrame(rows, names)
