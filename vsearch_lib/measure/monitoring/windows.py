"""The windows of monitoring, and samples of what came in them: uploads, and images that people searched with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TypeAlias

import numpy as np
import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from vsearch_lib.config.monitoring import Monitoring
from vsearch_lib.lake import Lake
from vsearch_lib.lake.eligible import living_images
from vsearch_lib.measure.monitoring.drift import Sample
from vsearch_lib.measure.monitoring.permutation import Marks, Values, can_be_tested
from vsearch_lib.spark.checkpoint import checkpointed
from vsearch_lib.vectors import Vectors

UPLOADS, QUERIES = "uploads", "queries"

Sides: TypeAlias = tuple[Marks, list[str]]


@dataclass(frozen=True)
class Windows:
    """The new days, from `first` to `last`, and the earlier ones, from `first_earlier` to the day before `first`."""

    first_earlier: date
    first: date
    last: date

    @classmethod
    def until(cls, last: date, chosen: Monitoring) -> "Windows":
        """Return the windows of which `last` is the last day."""
        first = last - timedelta(days=chosen.days - 1)
        return cls(first - timedelta(days=chosen.earlier_days), first, last)

    def is_new(self, day: Column) -> Column:
        """Return whether a day is one of the new days."""
        return day.between(self.first, self.last)

    def is_earlier(self, day: Column) -> Column:
        """Return whether a day is one of the earlier days."""
        return (day >= self.first_earlier) & (day < self.first)


def newest_day(lake: Lake, today: date) -> date | None:
    """Return the newest day with an upload or an event, None if there is none; days in the future do not count."""
    days = [
        lake.read(table).where(F.col(column) <= today).agg(F.max(column)).collect()[0][0]
        for table, column in (("images", "upload_date"), ("interactions", "event_date"))
    ]
    return max((day for day in days if day is not None), default=None)


def uploads(lake: Lake, windows: Windows, chosen: Monitoring, model_version: str | None) -> tuple[list[str], Sample]:
    """Return the ids and the properties of a sample of the living images, by their day of upload."""
    images = living_images(lake).select(
        "image_id",
        F.col("owner_id").alias("owner"),
        F.col("upload_date").alias("day"),
        "tags",
        "mode",
        F.least("width", "height").cast("double").alias("side"),
        "sha256",
    )
    sampled = _sampled(images, windows, chosen, "image_id")
    pixels = lake.read("image_pixels").select("sha256", "brightness", "sharpness")
    measured = pixels.join(F.broadcast(sampled.select("sha256").distinct()), "sha256", "left_semi")
    rows = _with_vectors(lake, sampled.join(measured, "sha256", "left"), model_version).toArrow()
    sample = Sample(
        *_sides(rows, chosen),
        numbers={name: _numbers(rows, name) for name in ("brightness", "sharpness", "side")},
        words={"mode": [[mode] for mode in rows["mode"].to_pylist()], "tags": rows["tags"].to_pylist()},
        vectors=_vectors(rows),
    )
    return rows["image_id"].to_pylist(), sample


def queries(lake: Lake, windows: Windows, chosen: Monitoring, model_version: str | None) -> tuple[list[str], Sample]:
    """Return the ids and vectors of a sample of the images that people searched with; one row a user, day and image."""
    asked = lake.read("interactions").where("query_image_id IS NOT NULL")
    rows = asked.select(
        F.col("query_image_id").alias("image_id"),
        F.col("user_id").alias("owner"),
        F.col("event_date").alias("day"),
    )
    sampled = _sampled(rows.distinct(), windows, chosen, "image_id", "owner", "day")
    found = _with_vectors(lake, sampled, model_version).toArrow()
    return found["image_id"].to_pylist(), Sample(*_sides(found, chosen), vectors=_vectors(found))


def _sampled(rows: DataFrame, windows: Windows, chosen: Monitoring, *key: str) -> DataFrame:
    """Return `chosen.sample` of the rows of the new days, and as large a share of those of the earlier days."""
    chance = F.xxhash64(*key, F.lit(chosen.seed))
    sides = []
    for is_new, day, limit in (
        (True, windows.is_new(F.col("day")), chosen.sample),
        (False, windows.is_earlier(F.col("day")), chosen.sample * chosen.earlier_days // chosen.days),
    ):
        sides.append(rows.where(day).orderBy(chance, *key).limit(limit).withColumn("is_new", F.lit(is_new)))
    return checkpointed(sides[0].unionByName(sides[1]))


def _with_vectors(lake: Lake, sampled: DataFrame, model_version: str | None) -> DataFrame:
    stored = lake.read("embeddings").where(F.col("model_version") == F.lit(model_version)).select("image_id", "vector")
    wanted = stored.join(F.broadcast(sampled.select("image_id").distinct()), "image_id", "left_semi")
    return sampled.join(wanted, "image_id", "left").orderBy("is_new", "image_id", "owner", "day")


def sides(is_new: Sequence[bool], owners: Sequence[str], days: Sequence[date], *, permutations: int) -> Sides:
    """Return which rows are new, and their units: what an owner has on one side, or what all have of one day.

    Days are the units if there are too few owners for a test. A unit of days has less of what makes an owner's pictures
    alike, so that false alarms are a little more frequent then.
    """
    marks = np.asarray(is_new, dtype=bool)
    of_owners, of_days = (
        [f"{side} {name}" for side, name in zip(is_new, names, strict=True)] for names in (owners, days)
    )
    enough = can_be_tested(marks, of_owners, permutations=permutations)
    return marks, of_owners if enough else of_days


def _sides(rows: pa.Table, chosen: Monitoring) -> Sides:
    columns = (rows[name].to_pylist() for name in ("is_new", "owner", "day"))
    return sides(*columns, permutations=chosen.permutations)


def _numbers(rows: pa.Table, name: str) -> Values:
    return np.asarray(rows[name].to_numpy(), dtype=np.float64)


def _vectors(rows: pa.Table) -> Mapping[str, Vectors]:
    found = rows["vector"].to_pylist()
    width = max((len(vector) for vector in found if vector is not None), default=1)
    vectors = np.full((len(found), width), np.nan, dtype=np.float32)
    for row, vector in enumerate(found):
        if vector is not None:
            vectors[row] = vector
    return {"vectors": vectors}
