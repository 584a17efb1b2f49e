"""Times the ingest jobs on Spark: photos beside a plain loop, and a day after a short and after a long history.

    .venv/bin/python benchmarks/ingest_jobs.py ../shared/data/clothing/images

Photos: the plain loop is that of ingest_photos.py with Pillow's default filter, in as many processes as Spark has
cores. In turns with it the job reads the same files: it lists, reads, decodes, shrinks, encodes and hashes them. Then
the whole job runs on the folder, and on four copies of it (each copy has one byte added to every file, so that no file
is known already). The difference of the two times is the cost of three more copies without the fixed costs of a run; it
includes the grouping of near-duplicates and the commits of four tables.

History: the next days' partitions (50 images, 2,000 events) are ingested after 10 and after 300 days, in turns.
"""

import io
import os
import random
import statistics
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from datetime import date, timedelta
from pathlib import Path

import numpy as np
from ingest_interactions import land, seconds
from ingest_photos import LIMITS, plain_default
from PIL import Image
from pyspark.sql import SparkSession

from vsearch_lib.config import Settings, load_settings
from vsearch_lib.context import StepContext
from vsearch_lib.images.files import files_to_read, read_files
from vsearch_lib.images.landed import landed_images
from vsearch_lib.images.metadata import may_be_metadata, sort_files
from vsearch_lib.lake import Lake
from vsearch_lib.landing.listing import list_landed
from vsearch_lib.run.bodies import body_of
from vsearch_lib.spark.checkpoint import checkpointed
from vsearch_lib.spark.session import start_session

COPIES = 3
FILES_PER_TASK = 500  # as in the job
HISTORIES_DAYS = (10, 300)
TURNS = 3
IMAGES_A_DAY = 50
EVENTS_A_DAY = 2_000


def ingest(spark: SparkSession, settings: Settings, jobs: tuple[str, ...], dates: tuple[date, ...] | None) -> float:
    """Return the seconds that ingest jobs take over `dates`, or over all days if that is None."""
    lake = Lake(spark, settings.lake.uri, f"run-{time.monotonic_ns()}")
    job = StepContext(settings=settings, lake=lake, run_id=lake.run_id, dates=dates, say=lambda _: None)
    return sum(seconds(body_of(name), job) for name in jobs)


def photos(spark: SparkSession, folder: Path, source: Path) -> None:
    """Print photos a second of the plain loop, of the same work on Spark, and of the whole job."""
    contents = [file.read_bytes() for file in sorted(source.rglob("*.jpg"))]
    landings: dict[int, Settings] = {}
    for copies in (1, 1 + COPIES):
        landing = folder / f"photos-{copies}"
        landing.mkdir()
        for copy in range(copies):
            for number, content in enumerate(contents):
                (landing / f"{copy}-{number:05d}.jpg").write_bytes(content + bytes([copy]))
        landings[copies] = load_settings("demo", [f"var={folder / f'lake-{copies}'}", f"landing.images={landing}"])
    warm_up = load_settings("demo", [f"var={folder / 'lake-0'}", f"landing.images={landings[1].landing.images}"])
    ingest(spark, warm_up, ("ingest_images",), None)
    cores = os.cpu_count() or 1
    listing = list_landed(warm_up.landing.images, never_clutter=may_be_metadata)
    listed = checkpointed(landed_images(spark, listing, sort_files(listing)))
    files = checkpointed(files_to_read(listed, Lake(spark, warm_up.lake.uri, "none").read("image_files").limit(0)))
    read = read_files(files, LIMITS, -(-len(contents) // FILES_PER_TASK))
    plain, same_work = [], []
    with ProcessPoolExecutor(cores) as loop:
        list(loop.map(plain_default, contents[:100], chunksize=25))
        for _ in range(TURNS):
            plain.append(seconds(lambda: list(loop.map(plain_default, contents, chunksize=50))))
            same_work.append(seconds(lambda: read.write.format("noop").mode("overwrite").save()))
    job_seconds = {copies: ingest(spark, settings, ("ingest_images",), None) for copies, settings in landings.items()}
    loop_rate, stage_rate = (len(contents) / statistics.median(times) for times in (plain, same_work))
    job_rate = COPIES * len(contents) / (job_seconds[1 + COPIES] - job_seconds[1])
    print(f"plain loop, {cores} processes: {loop_rate:.0f} photos/s")
    print(f"ingest_images, reading (the same work): {stage_rate:.0f} photos/s, {stage_rate / loop_rate:.2f} times that")
    print(
        f"ingest_images, with all that follows: {job_rate:.0f} photos/s, {job_rate / loop_rate:.2f} times that;",
        end=" ",
    )
    print(f"{len(contents)} photos {job_seconds[1]:.1f} s,", end=" ")
    print(f"{(1 + COPIES) * len(contents)} photos {job_seconds[1 + COPIES]:.1f} s")


def history(spark: SparkSession, folder: Path) -> None:
    """Print the seconds of a day's partition after a short and a long history, and their ratio."""
    first = date(2024, 1, 1)
    lakes: dict[int, Settings] = {}
    for days in HISTORIES_DAYS:
        var = folder / f"history-{days}"
        lakes[days] = load_settings("demo", [f"var={var}"])
        rng = random.Random(days)
        for day in range(days + TURNS):
            land(var / "landing", first + timedelta(days=day), EVENTS_A_DAY, 1, rng)
            _land_images(var / "landing", first + timedelta(days=day), day)
        # All the history but its last day at once, then that day alone: this first small run warms up.
        early = tuple(first + timedelta(days=day) for day in range(days - 1))
        for part in (early, (first + timedelta(days=days - 1),)):
            ingest(spark, lakes[days], ("ingest_images", "ingest_interactions"), part)
    for jobs in (("ingest_images",), ("ingest_interactions",)):
        day_seconds: dict[int, list[float]] = {days: [] for days in lakes}
        for turn in range(TURNS):
            for days, settings in lakes.items():
                day_seconds[days].append(ingest(spark, settings, jobs, (first + timedelta(days=days + turn),)))
        short, long = (statistics.median(day_seconds[days]) for days in HISTORIES_DAYS)
        print(
            f"{jobs[0]}, a day after {HISTORIES_DAYS[0]} days {short:.1f} s, after {HISTORIES_DAYS[1]} {long:.1f} s:",
            end=" ",
        )
        print(f"{long / short:.2f} times")


def _land_images(landing: Path, day: date, number: int) -> None:
    folder = landing / "images" / f"date={day}"
    folder.mkdir(parents=True)
    noise = np.random.default_rng(number)
    with (folder / "metadata.jsonl").open("w") as metadata:
        for image in range(IMAGES_A_DAY):
            name = f"{day:%Y%m%d}-{image:03d}"
            sink = io.BytesIO()
            Image.fromarray(noise.integers(0, 255, (6, 6, 3), np.uint8)).resize((64, 64)).save(sink, "JPEG")
            (folder / f"{name}.jpg").write_bytes(sink.getvalue())
            metadata.write(
                f'{{"image_id": "{name}", "file": "{name}.jpg", "owner_id": "o", "uploaded_at": "{day}T00:00:00Z"}}\n'
            )


def main(source: str) -> None:
    """Measure history and photos in one session."""
    with tempfile.TemporaryDirectory(prefix="vsearch-bench-") as name:
        spark = start_session(load_settings("demo", [f"var={name}"]), "bench")
        history(spark, Path(name))
        photos(spark, Path(name), Path(source))
        spark.stop()


if __name__ == "__main__":
    main(sys.argv[1])
