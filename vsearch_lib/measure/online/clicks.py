"""Figures of what people clicked, by day, by arm of an experiment, by version of the index."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from vsearch_lib.figures import Figure

_FIGURES = {
    "requests": "count(*)",
    "impressions": "sum(shown)",
    "clicked_impressions": "sum(clicked)",
    "click_through_rate": "sum(clicked) / sum(shown)",
    "clicked_request_share": "avg(cast(clicked > 0 AS double))",
    "click_mrr": "avg(reciprocal_rank)",
    "clicks_over_expected": "try_divide(sum(clicked), sum(expected))",
    "dwell_ms_median": "median(dwell_ms)",
}
CLICK_FIGURES = tuple(_FIGURES)


def click_figures(events: DataFrame) -> list[Figure]:
    """Return the figures of `events` (columns of `interactions`): of all, and of each day, variant and index version.

    An impression counts as clicked once, however often it was; of its click the place on the page is what was shown.
    `click_mrr` is the mean over requests of 1 / place of the first click, 0 without one. `clicks_over_expected` is
    the clicks beside those that the same places got on average in all of `events`, so that an arm that fills longer
    pages is not worse for it (COEC: Zhang and Jones, "Comparing click logs for editorial training", 2007). A request
    is of the day on which it began.
    """
    clicked = F.col("type") == "click"
    shown = events.groupBy("request_id", "displayed_image_id").agg(
        F.min("event_date").alias("day"),
        F.min("variant").alias("variant"),
        F.min("index_version").alias("index_version"),
        F.min("position").alias("position"),
        F.max(clicked.cast("double")).alias("clicked"),
        F.max(F.when(clicked, F.col("dwell_ms"))).alias("dwell_ms"),
    )
    usual = shown.groupBy("position").agg(F.avg("clicked").alias("expected"))
    requests = (
        shown.join(F.broadcast(usual), "position")
        .groupBy("request_id")
        .agg(
            F.min("day").cast("string").alias("day"),
            F.min("variant").alias("variant"),
            F.min("index_version").alias("index_version"),
            F.count("*").alias("shown"),
            F.sum("clicked").alias("clicked"),
            F.sum("expected").alias("expected"),
            F.coalesce(F.max(F.when(F.col("clicked") > 0, 1 / F.col("position"))), F.lit(0.0)).alias("reciprocal_rank"),
            F.avg("dwell_ms").alias("dwell_ms"),
        )
    )
    slices = F.array(
        F.lit("all"),
        F.col("day"),
        F.concat(F.lit("variant "), F.col("variant")),
        F.concat(F.lit("index "), F.col("index_version")),
    )
    sliced = requests.withColumn("slice", F.explode(F.array_compact(slices))).groupBy("slice")
    rows = sliced.agg(*(F.expr(value).alias(name) for name, value in _FIGURES.items())).orderBy("slice").collect()
    return [Figure(name, row[name], row["slice"]) for row in rows for name in _FIGURES if row[name] is not None]
