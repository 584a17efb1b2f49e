"""The figures of a profile, from one pass over each kind of data.

A query is a page view (`request_id`). A share of nothing is left out: no figure is better than a wrong zero.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.window import Window

from vsearch_lib.eligibility import LIVING
from vsearch_lib.figures import Figure

# Both limits were chosen on 300 photos of clothing, as ingestion stores them. Their sharpness was 67 or more, in the
# median 611. Blurred by 0.8 % of the shorter side, which anybody sees, 99 % of the same photos had less than 30.
BLURRED_BELOW = 30.0
# Brightness was 54 or more, black clothes included. With 0.3 of the light, 84 % of the same photos had less than 45.
DARK_BELOW = 45.0

MAX_TAGS = 50
MAX_DAYS = 60  # the newest with images: otherwise every night would record a long history again
_SIDES = (0, 128, 256, 512, 1024, 2048, 4096)  # pixels: each slice ends below the next
_MAX_CLICKS = 5
SIDE_SLICES = tuple(
    f"{low} px and more" if low == _SIDES[-1] else f"{low} to {high - 1} px"
    for low, high in zip(_SIDES, (*_SIDES[1:], 0), strict=True)
)
CLICK_SLICES = (*map(str, range(_MAX_CLICKS)), f"{_MAX_CLICKS} and more")

Counts = Mapping[str, Mapping[str, int]]  # what is counted → slice → how many


def image_figures(
    images: DataFrame, pixels: DataFrame, near_duplicates: DataFrame, interactions: DataFrame
) -> list[Figure]:
    """Return the figures of the living images: uploads, tags, sizes, modes, and the shares with a fault.

    The arguments are the tables of the same names.
    """
    shown = interactions.select(F.col("displayed_image_id").alias("image_id")).distinct()
    living = (
        images.where(LIVING)
        .select("image_id", "sha256", "upload_date", "tags", "mode", F.least("width", "height").alias("side"))
        .withColumn("copies", F.count("*").over(Window.partitionBy("sha256")))
        .join(pixels.select("sha256", "brightness", "sharpness"), "sha256", "left")
        .join(near_duplicates.select("sha256", F.lit(True).alias("alike")), "sha256", "left")
        .join(shown.withColumn("shown", F.lit(True)), "image_id", "left")
    )
    sides = [F.when(F.col("side") >= low, name) for low, name in zip(_SIDES, SIDE_SLICES, strict=True)]
    counted = F.array(
        _one("living"),
        _one("day", F.col("upload_date").cast("string")),
        _one("side", F.coalesce(*reversed(sides))),
        _one("mode", F.col("mode")),
        F.when(F.col("brightness").isNotNull(), _one("measured")),
        F.when(F.col("sharpness") < BLURRED_BELOW, _one("blurred")),
        F.when(F.col("brightness") < DARK_BELOW, _one("dark")),
        F.when(F.col("copies") > 1, _one("same_bytes")),
        F.when(F.col("alike"), _one("near_duplicate")),
        F.when(F.col("shown").isNull(), _one("never_shown")),
        F.when(F.size("tags") == 0, _one("untagged")),
    )
    tags = F.transform(F.array_distinct("tags"), lambda tag: _one("tag", tag))
    counts = _count(living.select(F.explode(F.concat(F.array_compact(counted), tags)).alias("one")).select("one.*"))
    total = counts["living"].get("all", 0)
    figures = [
        Figure("images_living", total),
        *_sliced("images_uploaded", dict(sorted(counts["day"].items())[-MAX_DAYS:])),
        *_sliced("image_sides", _in_order(counts["side"], SIDE_SLICES)),
        *_sliced("image_mode", counts["mode"]),
    ]
    if total:
        figures += [Figure("tag_share", n / total, slice=tag, n=total) for tag, n in counts["tag"].items()]
        for name in ("same_bytes", "near_duplicate", "never_shown", "untagged"):
            figures.append(Figure(f"{name}_share", counts[name].get("all", 0) / total, n=total))
    if measured := counts["measured"].get("all", 0):
        for name in ("blurred", "dark"):
            figures.append(Figure(f"{name}_share", counts[name].get("all", 0) / measured, n=measured))
    return figures


def uniqueness_figures(images: DataFrame, near_duplicates: DataFrame) -> list[Figure]:
    """Return the share of different pictures among the living images: near-duplicates count as one; none of nothing."""
    living = images.where(LIVING).select("sha256").join(near_duplicates, "sha256", "left")
    [row] = living.agg(
        F.count("*").alias("images"), F.count_distinct(F.coalesce("group_sha256", "sha256")).alias("different")
    ).collect()
    return [Figure("unique_share", row["different"] / row["images"], n=row["images"])] if row["images"] else []


def query_figures(interactions: DataFrame, images: DataFrame) -> list[Figure]:
    """Return the figures of interactions: clicks per query, and the share of events that name an unknown image."""
    known = images.select("image_id")
    events = interactions
    for role in ("query", "displayed"):
        one = known.select(F.col("image_id").alias(f"{role}_image_id"), F.lit(True).alias(f"{role}_known"))
        events = events.join(one, f"{role}_image_id", "left")
    unknown = F.col("query_known").isNull() | F.col("displayed_known").isNull()
    queries = events.groupBy("request_id").agg(
        F.count("*").alias("events"),
        F.count_if(F.col("type") == "click").alias("clicks"),
        F.count_if(unknown).alias("unknown"),
    )
    rows = (
        queries.groupBy(F.least("clicks", F.lit(_MAX_CLICKS)).alias("bucket"))
        .agg(F.count("*").alias("queries"), *(F.sum(name).alias(name) for name in ("events", "clicks", "unknown")))
        .collect()
    )
    total = {name: sum(row[name] for row in rows) for name in ("queries", "events", "clicks", "unknown")}
    by_clicks = {CLICK_SLICES[row["bucket"]]: row["queries"] for row in rows}
    figures = [
        Figure("interactions_stored", total["events"]),
        Figure("queries", total["queries"]),
        *_sliced("queries_by_clicks", _in_order(by_clicks, CLICK_SLICES)),
    ]
    if total["events"]:
        figures.append(Figure("clicks_per_query", total["clicks"] / total["queries"], n=total["queries"]))
        figures.append(Figure("unknown_image_share", total["unknown"] / total["events"], n=total["events"]))
    return figures


def refusal_figures(quarantine: DataFrame) -> list[Figure]:
    """Return the number of landed rows and files in quarantine for each reason, the most frequent first."""
    counts = _count(quarantine.select(F.lit("refused").alias("what"), F.col("reason").alias("slice")))
    return _sliced("refused", counts["refused"])


def _one(what: str, value: Column | None = None) -> Column:
    """Count this row as one of `what`, in the slice `value`, or in all if there is no value."""
    return F.struct(F.lit(what).alias("what"), (F.lit("all") if value is None else value).alias("slice"))


def _count(ones: DataFrame) -> Counts:
    """Count equal rows of `ones`, the most frequent first; of tags, whose number is unlimited, only `MAX_TAGS`."""
    first = Window.partitionBy("what").orderBy(F.desc("count"), "slice")
    counted = ones.groupBy("what", "slice").count().withColumn("rank", F.row_number().over(first))
    rows = counted.where((F.col("what") != "tag") | (F.col("rank") <= MAX_TAGS)).collect()
    counts: dict[str, dict[str, int]] = defaultdict(dict)
    for row in sorted(rows, key=lambda row: (row["what"], row["rank"])):
        counts[row["what"]][row["slice"]] = row["count"]
    return counts


def _sliced(metric: str, counts: Mapping[str, int]) -> list[Figure]:
    return [Figure(metric, count, slice=name) for name, count in counts.items()]


def _in_order(counts: Mapping[str, int], slices: Sequence[str]) -> dict[str, int]:
    """Return the counts with the empty slices of a histogram too, unless all are empty."""
    return {name: counts.get(name, 0) for name in slices} if counts else {}
