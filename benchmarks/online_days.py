"""Measures what a night of online figures costs after histories of different lengths.

.venv/bin/python benchmarks/online_days.py [DAYS ...]
"""

import sys
import tempfile
import time
from datetime import date, timedelta

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from vsearch_lib.config import load_settings
from vsearch_lib.lake import Lake
from vsearch_lib.measure.online.history import period_figures
from vsearch_lib.spark.session import start_session

LAST = date(2026, 3, 31)  # a long month: 31 days of events are read for its exposure
EVENTS_A_DAY, PAGE, WINDOW = 5_000, 10, 7


def events(spark: SparkSession, first: date, days: int) -> DataFrame:
    """Impressions of `days` days, a twentieth of them with a click; 5,000 images, 1,000 users."""
    n = F.col("id")
    rows = spark.range(days * EVENTS_A_DAY).select(
        F.concat(F.lit(f"{first}-"), n.cast("string")).alias("event_id"),
        F.concat(F.lit("u"), F.pmod(F.xxhash64(F.floor(n / PAGE)), F.lit(1000)).cast("string")).alias("user_id"),
        F.lit("q").alias("query_image_id"),
        F.concat(F.lit("i"), F.pmod(F.xxhash64("id", F.lit(1)), F.lit(5000)).cast("string")).alias(
            "displayed_image_id"
        ),
        (F.pmod(n, F.lit(PAGE)) + 1).cast("int").alias("position"),
        F.date_add(F.lit(first), F.floor(n / EVENTS_A_DAY).cast("int")).alias("event_date"),
        F.concat(F.lit(f"{first}-"), F.floor(n / PAGE).cast("string")).alias("request_id"),
        F.lit("v1").alias("index_version"),
        F.explode(
            F.when(
                F.pmod(F.xxhash64("id", F.lit(2)), F.lit(20)) == 0, F.array(F.lit("impression"), F.lit("click"))
            ).otherwise(F.array(F.lit("impression")))
        ).alias("type"),
    )
    return rows.withColumns(
        {"event_id": F.concat("event_id", "type"), "occurred_at": F.col("event_date").cast("timestamp")}
    )


def measured(spark: SparkSession, history: int) -> tuple[float, float]:
    """Return the seconds of the first night, and those of the night after it."""
    with tempfile.TemporaryDirectory() as folder:
        lake = Lake(spark, folder, "run")
        lake.upsert("interactions", events(spark, LAST - timedelta(days=history), history))
        taken = []
        for last in (LAST - timedelta(days=1), LAST):
            if last == LAST:
                lake.upsert("interactions", events(spark, LAST, 1))
            began = time.perf_counter()
            period_figures(lake, last - timedelta(days=WINDOW - 1), last, None)
            taken.append(time.perf_counter() - began)
        return taken[0], taken[1]


if __name__ == "__main__":
    settings = load_settings("demo", ["var=/tmp/online_days"])
    session = start_session(settings, "online_days")
    measured(session, 3)  # the first jobs of a session compile their plans
    for history in map(int, sys.argv[1:] or ("31", "365")):
        first, next_night = measured(session, history)
        print(f"{history} days of history: first night {first:.1f} s, next night {next_night:.1f} s", flush=True)
