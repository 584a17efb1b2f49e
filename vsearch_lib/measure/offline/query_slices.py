"""Which slices a query picture is in: its tags, its quality and size, its owner, its age and its popularity."""

from datetime import timedelta

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from vsearch_lib.config import Settings
from vsearch_lib.eligibility import PUBLIC
from vsearch_lib.lake import Lake
from vsearch_lib.measure.offline.slices import SEPARATOR
from vsearch_lib.measure.profile.figures import BLURRED_BELOW, DARK_BELOW

NEW_SHARE, HEAD_SHARE = 0.25, 0.2
_SIDES = ((256, "below 256 px"), (1024, "256 to 1023 px"))
_UNKNOWN = "unknown"  # the age band of a user without an age
_ACCURACY = 10_000  # of Spark's approximate percentiles


def query_slices(lake: Lake, settings: Settings, queries: DataFrame) -> DataFrame:
    """Return `queries` (image_id) with `slices`, the names of those that the image is in.

    - `tag: …` for each of its tags; a class of a catalogue is a tag too.
    - `quality: blurred`, `dark`, or `good`, by the limits of the profile; `shorter side: …` of the original.
    - `country: …`, `age band: …` and `gender: …` of its owner, if they are known.
    - `uploaded: newest quarter` of the public images, or `uploaded: earlier`.
    - `popularity: head`, the fifth of the shown images with the most impressions in the last `online.days` days with
      interactions, or `popularity: tail`, all others.

    Args:
        lake: with images, image_pixels, users and interactions.
        settings: of the run.
        queries: image_id, each once.
    """
    images = lake.read("images")
    newest = images.where(PUBLIC).agg(
        F.percentile_approx(F.unix_micros("uploaded_at"), 1 - NEW_SHARE, _ACCURACY).alias("new_from")
    )
    shown, head = _impressions(lake, settings.online.days)
    users = lake.read("users").select(F.col("user_id").alias("owner_id"), "country", "age_band", "gender")
    pixels = lake.read("image_pixels").select("sha256", "brightness", "sharpness")
    facts = (
        queries.select("image_id")
        .join(images.select("image_id", "sha256", "owner_id", "uploaded_at", "tags", "width", "height"), "image_id")
        .join(pixels, "sha256", "left")
        .join(users, "owner_id", "left")
        .join(shown, "image_id", "left")
        .crossJoin(F.broadcast(newest))
        .crossJoin(F.broadcast(head))
    )
    sides = F.least("width", "height")
    size = (
        F.when(sides < _SIDES[0][0], _SIDES[0][1])
        .when(sides < _SIDES[1][0], _SIDES[1][1])
        .otherwise("1024 px and more")
    )
    quality = F.when(F.col("sharpness") < BLURRED_BELOW, "blurred").when(F.col("brightness") < DARK_BELOW, "dark")
    is_new = F.unix_micros("uploaded_at") > F.col("new_from")
    is_head = F.coalesce(F.col("impressions") > F.col("head_from"), F.lit(False))
    known = F.array(
        _named("quality", quality.when(F.col("sharpness").isNotNull(), "good")),
        _named("shorter side", size),
        _named("country", F.col("country")),
        _named("age band", F.nullif("age_band", F.lit(_UNKNOWN))),
        _named("gender", F.col("gender")),
        _named("uploaded", F.when(is_new, "newest quarter").otherwise("earlier")),
        F.when(F.col("head_from").isNotNull(), _named("popularity", F.when(is_head, "head").otherwise("tail"))),
    )
    tags = F.transform(F.array_distinct(F.coalesce("tags", F.array())), lambda tag: _named("tag", tag))
    return facts.select("image_id", F.concat(F.array_compact(known), F.array_compact(tags)).alias("slices"))


def slices_of_each(lake: Lake, settings: Settings, image_ids: list[str]) -> dict[str, list[str]]:
    """Return image id → the names of its slices, for those of `image_ids` that are in the lake."""
    asked = lake.spark.createDataFrame([(image,) for image in image_ids], "image_id string")
    return {row["image_id"]: row["slices"] for row in query_slices(lake, settings, asked).collect()}


def _named(attribute: str, value: Column) -> Column:
    return F.concat(F.lit(f"{attribute}{SEPARATOR}"), value)  # null if the value is


def _impressions(lake: Lake, days: int) -> tuple[DataFrame, DataFrame]:
    """Return image_id, impressions of the last days, and the number of impressions above which an image is popular.

    Only these days are read, so that a night costs the same however long the history is.
    """
    events = lake.read("interactions")
    last = events.agg(F.max("event_date")).collect()[0][0]
    seen = events.where(F.lit(False) if last is None else F.col("event_date") > last - timedelta(days=days))
    shown = seen.groupBy(F.col("displayed_image_id").alias("image_id")).agg(
        F.count_distinct("request_id").alias("impressions")
    )
    head = F.percentile_approx("impressions", 1 - HEAD_SHARE, _ACCURACY).alias("head_from")
    return shown, shown.agg(head)
