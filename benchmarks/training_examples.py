"""Times a training snapshot of 100,000 images and a million interactions, and another one after a new day of clicks.

    .venv/bin/python benchmarks/training_examples.py

It prints the seconds of each snapshot, the most memory of Java and of Python, and the bytes of the snapshot. The pixels
are those of one small JPEG with a number behind its end, so that every picture has bytes of its own.
"""

import io
import resource
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from vsearch_lib.config import load_settings
from vsearch_lib.context import StepContext
from vsearch_lib.examples.step import build_training_examples
from vsearch_lib.lake import Lake
from vsearch_lib.spark.session import start_session
from vsearch_lib.storage import open_store

IMAGES, INTERACTIONS, DAYS = 100_000, 1_000_000, 10
PAGE = 10
CHOSEN = (
    "model.backbone=small",
    "model.weights=none",
    "training.epochs=1",
    "examples.candidates=5",
    "examples.mix.click=1",
    "examples.mix.co_click=1",
    "examples.negatives.same_tag_share=0.25",
    "clicks.test_days=0",
    "spark.driver_memory=4g",
)


def picture() -> bytes:
    """Return a JPEG of noise, some kilobytes."""
    sink = io.BytesIO()
    Image.fromarray(np.random.default_rng(1).integers(0, 256, (64, 64, 3), np.uint8)).save(sink, "JPEG")
    return sink.getvalue()


def land_images(spark: SparkSession, lake: Lake) -> None:
    """Write the images and their pixels, as ingestion does."""
    sha256 = F.sha2(F.col("id").cast("string"), 256)
    numbers = spark.range(IMAGES).withColumn("sha256", sha256).withColumn("phash", F.substring("sha256", 1, 16))
    jpeg = F.concat(F.lit(bytearray(picture())), F.encode(F.col("id").cast("string"), "UTF-8"))
    measures = {"mode": F.lit("RGB"), "brightness": F.lit(1.0), "sharpness": F.lit(1.0), "width": F.lit(64)}
    lake.insert_new("image_pixels", numbers.withColumns({**measures, "height": F.lit(64), "jpeg": jpeg}))
    day = F.to_date(F.lit("2024-05-01"))
    facts = {
        "image_id": F.format_string("image-%06d", "id"),
        "owner_id": F.lit("owner"),
        "uploaded_at": F.to_timestamp(F.lit("2024-05-01 12:00:00")),
        "upload_date": day,
        "tags": F.array(F.format_string("tag-%03d", F.col("id") % 200)),
        "visibility": F.lit("public"),
        "moderation": F.lit("ok"),
        "source_uri": F.format_string("landing/%06d.jpg", "id"),
        "width": F.lit(64),
        "height": F.lit(64),
        "mode": F.lit("RGB"),
        "said_on": F.struct(
            *(
                day.alias(name)
                for name in ("file", "owner_id", "uploaded_at", "tags", "visibility", "moderation", "deleted")
            )
        ),
    }
    lake.insert_new("images", numbers.withColumns(facts))


def events(spark: SparkSession, first: int, count: int) -> DataFrame:
    """Return `count` impressions and the clicks on them: pages of 5,000 queries, which have ten answers each."""
    numbers = spark.range(first, first + count).withColumn("request", F.floor(F.col("id") / PAGE))
    query = F.pmod(F.xxhash64("request"), F.lit(5000))
    position = (F.col("id") % PAGE).cast("int") + 1
    shown = F.pmod(query * 17 + position * 31, F.lit(IMAGES))
    clicked = F.pmod(F.xxhash64("id", F.lit(2)), F.lit(100)) < 40 / position
    impression = F.lit("impression")
    day = F.date_add(F.to_date(F.lit("2024-05-01")), (F.col("id") / (INTERACTIONS / DAYS)).cast("int"))
    rows = numbers.withColumns(
        {
            "user_id": F.format_string("user-%05d", F.pmod(F.xxhash64("request", F.lit(1)), F.lit(20_000))),
            "query_image_id": F.format_string("image-%06d", query),
            "displayed_image_id": F.format_string("image-%06d", shown),
            "position": position,
            "event_date": day,
            "occurred_at": F.to_timestamp(day),
            "request_id": F.format_string("r%07d", "request"),
            "index_version": F.format_string("v%d", F.col("request") % 2),
            "type": F.explode(F.when(clicked, F.array(impression, F.lit("click"))).otherwise(F.array(impression))),
        }
    )
    return rows.withColumn("event_id", F.concat("type", F.col("id").cast("string")))


def peak_mib(pid: int | str) -> int:
    """Return the most memory that a process has used, in MiB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))) // 1024


def main() -> None:
    """Land everything, make a snapshot, land another day, and make another snapshot."""
    with tempfile.TemporaryDirectory() as var:
        settings = load_settings("local", [f"var={var}", *CHOSEN])
        spark = start_session(settings, "benchmark")
        java = spark.sparkContext._gateway.proc.pid
        lake = Lake(spark, settings.lake.uri, "landing")
        land_images(spark, lake)
        lake.insert_new("interactions", events(spark, 0, INTERACTIONS))
        for name in ("first", "after a new day"):
            context = StepContext(settings=settings, lake=Lake(spark, settings.lake.uri, name), run_id=name)
            start = time.perf_counter()
            figures = build_training_examples(context, retrain=True)
            seconds = time.perf_counter() - start
            files = open_store(f"{settings.lake.uri}/training_snapshots").describe(context.made["training_snapshot"])
            counts = {figure.slice: int(figure.value) for figure in figures if figure.metric == "training_examples"}
            python = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
            print(
                f"{name}: {seconds:.0f} s, Java {peak_mib(java)} MiB, Python {python} MiB, "
                f"{sum(file.bytes for file in files) / 2**20:.0f} MiB in {len(files)} files, {counts}",
                flush=True,
            )
            lake.insert_new("interactions", events(spark, INTERACTIONS, INTERACTIONS // DAYS))
        spark.stop()


if __name__ == "__main__":
    main()
