"""Figures of what people clicked: by day, by variant of an experiment, and by version of the index."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from vsearch_lib.figures import ALL, Figure

# metric → its SQL over requests, and the metric that is its n
_FIGURES = {
    "requests": ("count(*)", None),
    "impressions": ("sum(shown)", None),
    "clicked_impressions": ("sum(clicked)", None),
    "click_through_rate": ("sum(clicked) / sum(shown)", "impressions"),
    "clicked_request_share": ("avg(cast(clicked > 0 AS double))", "requests"),
    "click_mrr": ("avg(reciprocal_rank)", "requests"),
    "clicks_over_expected": ("try_divide(sum(clicked), sum(expected))", "impressions"),
    "dwell_ms_median": ("median(dwell_ms)", None),
}
CLICK_FIGURES = tuple(_FIGURES)


def click_figures(events: DataFrame) -> list[Figure]:
    """Return the figures of all `events` (columns of `interactions`), and of each day, variant and index version.

    An impression counts as clicked once, even if it was clicked more often. Its position is that of the impression.
    `click_mrr` is the mean over requests of 1 / position of the first click, 0 without a click. `clicks_over_expected`
    divides the clicks by those that the same positions got on average in all of `events`, so that a variant with longer
    pages does not look worse (COEC: Zhang and Jones, "Comparing click logs for editorial training", 2007). A request
    belongs to the day on which it began.
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
    expected = shown.groupBy("position").agg(F.avg("clicked").alias("expected"))
    requests = (
        shown.join(F.broadcast(expected), "position")
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
    parts = F.array_compact(
        F.array(
            _part(F.lit(ALL), F.lit(ALL)),
            _part(F.lit(ALL), F.col("day")),
            _part(F.concat(F.lit("variant "), F.col("variant")), F.lit(ALL)),
            _part(F.concat(F.lit("index "), F.col("index_version")), F.lit(ALL)),
        )
    )
    sliced = requests.select("*", F.inline(parts)).groupBy("subject", "slice")
    rows = sliced.agg(*(F.expr(value).alias(name) for name, (value, _) in _FIGURES.items())).collect()
    figures = [
        Figure(name, row[name], subject=row["subject"], slice=row["slice"], n=row[over] if over else None)
        for row in rows
        for name, (_, over) in _FIGURES.items()
        if row[name] is not None
    ]
    return sorted(figures, key=lambda figure: figure.label)


def _part(subject: Column, slice_: Column) -> Column:
    """Return the subject and slice that a request counts for; null if the request has no such subject."""
    part = F.struct(subject.alias("subject"), slice_.alias("slice"))
    return F.when(subject.isNotNull(), part)
