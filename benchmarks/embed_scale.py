"""Measures the cost of an image at two sizes of catalogue, the memory of the worker processes, and the cost of a night.

    .venv/bin/python benchmarks/embed_scale.py ../shared/data/clothing ../shared/data/weights/mobilenet_v2.safetensors

The catalogue is made of re-encoded, cropped and mirrored copies of the photos, so that no pixels repeat. Nights with
1 % new images take turns with a minimal script that does the same work with Spark and Delta.
"""

import hashlib
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import simplejpeg
from delta.tables import DeltaTable
from pyspark import Broadcast
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from vsearch_lib.config import Settings, load_settings
from vsearch_lib.context import StepContext
from vsearch_lib.embedding.pending import VECTORS
from vsearch_lib.embedding.worker import _groups, task_embedder
from vsearch_lib.lake import Lake
from vsearch_lib.lake.changes import Position, position, save_read_positions
from vsearch_lib.models.load import Model, load_model
from vsearch_lib.models.registration import register
from vsearch_lib.models.registry import recipe_of
from vsearch_lib.models.weights import initial_encoder
from vsearch_lib.run.bodies import body_of
from vsearch_lib.spark.session import start_session
from vsearch_lib.ticker import every

SIZES = (4_000, 40_000)
NIGHTS = 3
COPY = "copy string, sha256 string, jpeg binary"


def vary_pictures(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yield a copy of each picture (columns jpeg, seed), with its own crop, mirroring and quality."""
    for batch in batches:
        made = [
            _vary(jpeg, seed) for jpeg, seed in zip(batch["jpeg"].to_pylist(), batch["seed"].to_pylist(), strict=True)
        ]
        names = [f"copy-{seed:08d}" for seed in batch["seed"].to_pylist()]
        hashes = [hashlib.sha256(jpeg).hexdigest() for jpeg in made]
        yield pa.RecordBatch.from_arrays(
            [pa.array(names), pa.array(hashes), pa.array(made, pa.binary())], ["copy", "sha256", "jpeg"]
        )


def _vary(jpeg: bytes, seed: int) -> bytes:
    rng = np.random.default_rng(seed)
    pixels = simplejpeg.decode_jpeg(jpeg, colorspace="RGB")
    top, left = rng.integers(0, 24, 2)
    part = pixels[top:, left:]
    part = part[:, ::-1] if rng.random() < 0.5 else part
    quality = int(rng.integers(85, 95))
    return bytes(simplejpeg.encode_jpeg(np.ascontiguousarray(part), quality=quality, colorspace="RGB"))


def copies(spark: SparkSession, lake: Lake, first: int, count: int) -> DataFrame:
    """Return image_id, sha256 and jpeg of `count` new copies of the catalogue's first pictures."""
    originals = lake.read("images").join(lake.read("image_pixels").select("sha256", "jpeg"), "sha256")
    originals = originals.where("image_id NOT LIKE 'copy-%'").select("image_id", "jpeg")
    known = originals.count()
    numbered = originals.selectExpr("jpeg", "row_number() OVER (ORDER BY image_id) - 1 AS number")
    wanted = spark.range(first, first + count).selectExpr("id AS seed", f"id % {known} AS number")
    made = wanted.join(F.broadcast(numbered) if known < 100 else numbered, "number").select("jpeg", "seed")
    return made.repartition(max(2, count // 500)).mapInArrow(vary_pictures, COPY).localCheckpoint()


def land(lake: Lake, made: DataFrame) -> None:
    """Write copies as ingestion would: their pixels, then the images."""
    pixel = lake.read("image_pixels").drop("sha256", "jpeg").limit(1)
    lake.insert_new("image_pixels", made.select("sha256", "jpeg").crossJoin(pixel))
    image = lake.read("images").drop("image_id", "sha256").limit(1)
    lake.insert_new("images", made.select(F.col("copy").alias("image_id"), "sha256").crossJoin(image))


def add_one_percent(spark: SparkSession, lake: Lake, *, seed: int) -> int:
    """Write new images, 1 % of the present number, and return how many."""
    count = lake.read("images").count() // 100
    land(lake, copies(spark, lake, seed * 1_000_000, count))
    return count


def minimal_night(settings: Settings, lake: Lake, version: str, since: dict[str, Position]) -> float:
    """Embed what was added after `since`, without checks or intermediate files; return the seconds."""
    until = {table: now for table in since if (now := position(lake, table))}
    began = time.perf_counter()
    new = {}
    for table, start in since.items():
        feed = lake.read_changes(table, start.version + 1, until[table].version)
        new[table] = feed.where("_change_type = 'insert'")
    model = lake.spark.sparkContext.broadcast(load_model(settings.models.uri, version))
    task = partial(minimal_task, model=model, batch_size=settings.embedding.batch_size)
    pixels = new["image_pixels"].select("sha256", "jpeg").repartition(lake.spark.sparkContext.defaultParallelism)
    vectors = pixels.mapInArrow(task, "sha256 string, vector array<float>")
    rows = new["images"].select(F.lit(version).alias("model_version"), "image_id", "sha256").join(vectors, "sha256")
    key = f"old.model_version = new.model_version AND old.model_version = '{version}' AND old.image_id = new.image_id"
    merging = DeltaTable.forPath(lake.spark, lake.path("embeddings")).alias("old").merge(rows.alias("new"), key)
    merging.whenNotMatchedInsertAll().execute()
    elapsed = time.perf_counter() - began
    save_read_positions(lake, f"embed_images-{version}", until)
    return elapsed


def minimal_task(
    batches: Iterator[pa.RecordBatch], *, model: Broadcast[Model], batch_size: int
) -> Iterator[pa.RecordBatch]:
    """Yield hashes and vectors of pictures."""
    embedder = task_embedder(model.value, batch_size)
    for hashes, jpegs in _groups(batches, 100):
        yield pa.RecordBatch.from_pydict({"sha256": hashes, "vector": list(embedder.embed(jpegs))}, schema=VECTORS)


def nights(settings: Settings, lake: Lake, version: str, *, seed: int, full: float) -> None:
    """Print the seconds of nights: with nothing new, then the job and the minimal script in turns.

    Args:
        full: seconds of a full run, which they are compared with.
    """
    nothing, _ = run_job(lake.spark, settings, "embed_images")
    print(f"  nothing new {nothing:.2f} s, 1/{full / nothing:.0f} of all")
    night_seconds: dict[str, list[float]] = {"the job": [], "without guards": []}
    for night in range(seed, seed + 2 * NIGHTS, 2):
        new = add_one_percent(lake.spark, lake, seed=night)
        seconds, figures = run_job(lake.spark, settings, "embed_images")
        assert figures["images_embedded"] == new
        night_seconds["the job"].append(seconds)
        since = {table: now for table in ("images", "image_pixels") if (now := position(lake, table))}
        add_one_percent(lake.spark, lake, seed=night + 1)
        night_seconds["without guards"].append(minimal_night(settings, lake, version, since))
    for name, values in night_seconds.items():
        times = ", ".join(f"{seconds:.1f} s (1/{full / seconds:.1f})" for seconds in values)
        print(f"  {new} new, {name}: {times}")


@contextmanager
def largest_worker() -> Iterator[list[int]]:
    """Watch Spark's Python processes; the yielded list holds the memory of the largest one, in MiB."""
    largest = [0]

    def look() -> None:
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if b"pyspark.worker" in (folder / "cmdline").read_bytes():
                    status = (folder / "status").read_text()
                    largest[0] = max(largest[0], int(status.split("VmRSS:")[1].split()[0]) // 1024)
            except (OSError, IndexError):
                continue

    with every(0.5, look):
        yield largest


def run_job(spark: SparkSession, settings: Settings, name: str) -> tuple[float, dict[str, float]]:
    """Return the seconds of a job, and its figures."""
    lake = Lake(spark, settings.lake.uri, f"run-{time.monotonic_ns()}")
    job = StepContext(settings=settings, lake=lake, run_id=lake.run_id, say=lambda _: None)
    began = time.perf_counter()
    figures = body_of(name)(job)
    return time.perf_counter() - began, {figure.metric: figure.value for figure in figures}


def main(photos: str, weights: str) -> None:
    """Embed catalogues of both sizes in one session."""
    os.environ["PYTHONPATH"] = str(Path(__file__).parent)  # where Spark's workers find `vary_pictures`
    with tempfile.TemporaryDirectory(prefix="vsearch-bench-") as folder:
        cost: dict[int, float] = {}
        for size in SIZES:
            chosen = [f"var={folder}/{size}", f"landing.images={photos}/images", f"models.uri={folder}/models"]
            settings = load_settings("demo", [*chosen, "model.backbone=mobilenet_v2", f"model.weights={weights}"])
            spark = start_session(settings, "bench")
            if not cost:
                encoder = initial_encoder(recipe_of(settings), weights, seed=1)
                register(settings.models.uri, encoder, version="m1", recipe=recipe_of(settings), run_id="bench")
            run_job(spark, settings, "ingest_images")
            lake = Lake(spark, settings.lake.uri, "copies")
            known = lake.read("images").count()
            land(lake, copies(spark, lake, 0, size - known))
            if not cost:
                run_job(spark, settings, "embed_images")
                register(settings.models.uri, encoder, version="m2", recipe=recipe_of(settings), run_id="bench")
            with largest_worker() as mebibytes:
                seconds, figures = run_job(spark, settings, "embed_images")
            cost[size] = 1000 * seconds / figures["images_embedded"]
            print(f"{figures['images_embedded']:.0f} images: {cost[size]:.2f} ms each, {seconds:.0f} s;", end=" ")
            print(f"largest worker {mebibytes[0]} MiB; slowest task {figures['slowest_task_to_median']:.2f} × median")
            nights(settings, lake, "m2", seed=1, full=seconds)
        spark.stop()
        print(f"cost of an image, {SIZES[1]} to {SIZES[0]}: {cost[SIZES[1]] / cost[SIZES[0]]:.2f}")


if __name__ == "__main__":
    main(*sys.argv[1:3])
