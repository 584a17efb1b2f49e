"""How impressions spread over the catalogue: coverage, and concentration on few images.

A system that learns from clicks shows what was clicked, and so gets more clicks on it: a feedback loop. It is seen
here: fewer images are shown, and the most shown ones get more and more of the impressions.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from math import ceil

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from vsearch_lib.figures import Figure
from vsearch_lib.measure.online.clicks import displayed
from vsearch_lib.measure.online.periods import Period

_TOP_SHARE = 0.01

Ints = NDArray[np.int64]


def gini(values: Ints, images: Ints) -> float:
    """Return the Gini coefficient of `images[i]` images with `values[i]` impressions each; 0: all have as many.

    It is the area between the Lorenz curve and the diagonal, times two (Gini 1912), for ascending values: one minus the
    sum over i of the share of images with the value i, times the sum of the curve before it and at it.
    """
    order = np.argsort(values)
    share = images[order] / images.sum()
    curve = np.concatenate([[0.0], np.cumsum(values[order] * images[order]) / (values * images).sum()])
    return float(1 - (share * (curve[1:] + curve[:-1])).sum())


def top_share(values: Ints, images: Ints) -> float:
    """Return the share of the impressions of the most shown 1 % of the images, rounded up to whole images."""
    left, got = ceil(_TOP_SHARE * int(images.sum())), 0
    for place in np.argsort(-values):
        taken = min(left, int(images[place]))
        got, left = got + taken * int(values[place]), left - taken
    return got / int((values * images).sum())


def exposure_figures(period: str, shown: Mapping[int, int], catalogue: int) -> list[Figure]:
    """Return coverage and concentration of a period; nothing if nothing was shown.

    Args:
        shown: impressions → images that were shown so often.
        catalogue: images that could be shown, those that were shown among them; images that were not shown count too.
    """
    if not shown:
        return []
    unseen = {0: catalogue - sum(shown.values())}
    values, images = (np.array(column, dtype=np.int64) for column in zip(*{**unseen, **shown}.items(), strict=True))
    named = {
        "catalogue_coverage": sum(shown.values()) / catalogue,
        "impression_gini": gini(values, images),
        "top_percent_impression_share": top_share(values, images),
    }
    return [Figure(name, value, slice=period, n=catalogue) for name, value in named.items()]


def count_exposure(
    interactions: DataFrame, images: DataFrame, periods: Sequence[Period]
) -> dict[str, tuple[dict[int, int], int]]:
    """Return name of each period → impressions → images that were shown so often, and the size of the catalogue.

    The catalogue of a period is what it showed, and the images of today that were uploaded until its last day.

    Args:
        images: image_id and upload_date of the images that everybody may see.
    """
    if not periods:
        return {}
    spark = interactions.sparkSession
    days = sorted({day for period in periods for day in period.days})
    placed = [{"period": period.name, "day": day} for period in periods for day in period.days]
    of_period = F.broadcast(spark.createDataFrame(pa.Table.from_pylist(placed)))
    per_image = displayed(interactions, days).join(of_period, "day").groupBy("period", "displayed_image_id").count()
    known = images.select(F.col("image_id").alias("displayed_image_id"), F.lit(1).alias("known"))
    rows = (
        per_image.join(known, "displayed_image_id", "left")
        .groupBy("period", "count")
        .agg(F.count("*").alias("images"), F.count("known").alias("known"))
    )
    shown: dict[str, dict[int, int]] = {period.name: {} for period in periods}
    gone = dict.fromkeys(shown, 0)
    for row in rows.collect():
        shown[row["period"]][row["count"]] = row["images"]
        gone[row["period"]] += row["images"] - row["known"]
    uploads = {row["upload_date"]: row["count"] for row in images.groupBy("upload_date").count().collect()}
    return {period.name: (shown[period.name], _until(uploads, period.last) + gone[period.name]) for period in periods}


def _until(uploads: Mapping[date, int], last: date) -> int:
    return sum(images for day, images in uploads.items() if day <= last)
