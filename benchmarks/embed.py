"""Times `embed_images` and the pandas UDF beside plain torch loops, on the same pixels, cores and weights, in one run.

    .venv/bin/python benchmarks/embed.py ../shared/data/clothing ../shared/data/weights/mobilenet_v2.safetensors

The photos are ingested once. For each backbone the plain loop (a `DataLoader` with two workers that decode with Pillow,
then the network on all cores) runs in float32 and, by autocast, in bfloat16. Between the two the whole job embeds every
photo in a running session, with a version of the model that has no vectors yet. The vectors of the job are compared
with torch's in float32 on the same pixels, one by one, and by the mean average precision of the test split searched in
the train split. Then the UDF and the tasks of the job take turns, each from `image_pixels` to Parquet. Last come nights
with nothing new, and nights with 1 % new pictures.
"""

import csv
import io
import os
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from embed_scale import nights, run_job
from PIL import Image
from pyspark.sql import SparkSession
from torch.utils.data import DataLoader, Dataset

from vsearch_lib.config import Settings, load_settings
from vsearch_lib.context import StepContext
from vsearch_lib.embedding.store import embed_pixels
from vsearch_lib.embedding.udf import embedding_udf
from vsearch_lib.encoder.network import Encoder
from vsearch_lib.encoder.pixels import to_square
from vsearch_lib.encoder.projection import fit_pca
from vsearch_lib.lake import Lake
from vsearch_lib.models.load import load_model
from vsearch_lib.models.registration import register
from vsearch_lib.models.registry import recipe_of
from vsearch_lib.models.weights import initial_encoder
from vsearch_lib.run.bodies import body_of
from vsearch_lib.spark.session import start_session

SIDE = 224
BATCH = 64
# How many photos the plain loops embed (None: all of them). The job embeds all.
LOOP_PHOTOS = {"tf_efficientnet_lite0": None, "mobilenet_v2": None, "resnet50": 768}
TURNS = 3


class Photos(Dataset[torch.Tensor]):
    """Stored JPEGs as torch's own examples read them: Pillow, the centre square, ImageNet's layout."""

    def __init__(self, jpegs: list[bytes]) -> None:
        self.jpegs = jpegs

    def __len__(self) -> int:
        return len(self.jpegs)

    def __getitem__(self, index: int) -> torch.Tensor:
        image = Image.open(io.BytesIO(self.jpegs[index])).convert("RGB")
        side = min(image.size)
        left, top = (image.width - side) // 2, (image.height - side) // 2
        square = image.crop((left, top, left + side, top + side)).resize((SIDE, SIDE), Image.Resampling.BILINEAR)
        return torch.from_numpy(np.asarray(square).copy()).permute(2, 0, 1).contiguous()


def plain_loop(encoder: Encoder, jpegs: list[bytes], *, bfloat16: bool) -> tuple[float, np.ndarray]:
    """Return the pictures a second and the vectors of an ordinary torch loop."""
    loader = DataLoader(Photos(jpegs), batch_size=BATCH, num_workers=2)
    vectors, began = [], time.perf_counter()
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
        for batch in loader:
            vectors.append(encoder(batch).float().numpy())
    return len(jpegs) / (time.perf_counter() - began), np.concatenate(vectors)


def in_float32(encode: Callable[[torch.Tensor], torch.Tensor], jpegs: list[bytes]) -> np.ndarray:
    """Return what `encode` computes in float32 from the same squares that the job embeds."""
    squares = (torch.from_numpy(to_square(jpeg, SIDE)).permute(2, 0, 1) for jpeg in jpegs)
    vectors = []
    with torch.inference_mode():
        while batch := list(islice(squares, BATCH)):
            vectors.append(encode(torch.stack(batch)).numpy())
    return np.concatenate(vectors)


def mean_average_precision(vectors: np.ndarray, labels: np.ndarray, split: np.ndarray) -> float:
    """Return mAP by label: pictures of the test split are searched in the train split."""
    train, test = np.flatnonzero(split == "train"), np.flatnonzero(split == "test")
    order = np.argsort(-(vectors[test] @ vectors[train].T), axis=1)
    right = labels[train][order] == labels[test][:, None]
    precision = right.cumsum(1) / np.arange(1, len(train) + 1)
    return float(((precision * right).sum(1) / right.sum(1)).mean())


def projected(settings: Settings, jpegs: list[bytes]) -> Encoder:
    """Return the backbone with a projection fitted to the features of `jpegs`."""
    encoder = initial_encoder(recipe_of(settings), settings.model.weights, seed=1).eval()
    features = in_float32(encoder.features, jpegs)
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    encoder.projection.set_to(fit_pca(features, dimension=encoder.dimension, seed=1)[0])
    return encoder


def compare_udf(spark: SparkSession, settings: Settings, version: str) -> None:
    """Print how many times as long as the tasks of the job the UDF takes, both from `image_pixels` to Parquet."""
    lake = Lake(spark, settings.lake.uri, "turns")
    pixels = lake.read("image_pixels").select("sha256", "jpeg")
    count, tasks = pixels.count(), spark.sparkContext.defaultParallelism
    job = StepContext(settings=settings, lake=lake, run_id="turns", say=lambda _: None)
    model, embed = load_model(settings.models.uri, version), embedding_udf(spark, settings, version=version)
    ratios = []
    for turn in range(TURNS + 1):
        began = time.perf_counter()
        rows = pixels.repartition(tasks).select("sha256", embed("jpeg").alias("vector"))
        rows.write.parquet(f"{settings.var}/udf-{version}-{turn}")
        between = time.perf_counter()
        embed_pixels(job, model, pixels, f"{settings.var}/tasks-{version}-{turn}", count)
        ratios.append((between - began) / (time.perf_counter() - between))
    # The first turn is left out: in it Spark compiles code for both, and the UDF, which comes first, pays for it.
    print(f"  the UDF takes {', '.join(f'{ratio:.2f}' for ratio in ratios[1:])} times the job's tasks")


def compare(spark: SparkSession, settings: Settings, photos: Path) -> None:
    """Print the rates of the loops, the UDF and the job, and how well their vectors agree."""
    backbone, recipe = settings.model.backbone, recipe_of(settings)
    lake = Lake(spark, settings.lake.uri, "look")
    rows = lake.read("images").join(lake.read("image_pixels").select("sha256", "jpeg"), "sha256")
    stored = {row["image_id"]: bytes(row["jpeg"]) for row in rows.select("image_id", "jpeg").collect()}
    names = sorted(name for name in stored if not name.startswith("copy-"))[: LOOP_PHOTOS[backbone]]
    jpegs = [stored[name] for name in names]
    encoder = projected(settings, jpegs)
    plain_loop(encoder, jpegs[:BATCH], bfloat16=False)
    register(settings.models.uri, encoder, version=f"{backbone}-0", recipe=recipe, run_id="bench")
    first_seconds, _ = run_job(spark, settings, "embed_images")
    float32_rate, pillow_vectors = plain_loop(encoder, jpegs, bfloat16=False)
    register(settings.models.uri, encoder, version=f"{backbone}-1", recipe=recipe, run_id="bench")
    seconds, figures = run_job(spark, settings, "embed_images")
    bfloat16_rate, _ = plain_loop(encoder, jpegs, bfloat16=True)
    rate = len(stored) / seconds
    print(
        f"{backbone}: plain float32 {float32_rate:.0f}/s, plain bfloat16 {bfloat16_rate:.0f}/s; the job {rate:.0f}/s",
        end=" ",
    )
    print(f"(its first run in the session {len(stored) / first_seconds:.0f}/s)")
    print(f"  {rate / float32_rate:.2f} times plain float32, {rate / bfloat16_rate:.2f} times plain bfloat16")
    cores = spark.sparkContext.defaultParallelism
    outside = 1 - len(stored) / figures["images_per_second_per_core"] / cores / seconds
    print(
        f"  a picture: decoding {figures['decode_ms_per_image']:.2f} ms, network {figures['forward_ms_per_image']:.2f}"
        f" ms; {outside:.0%} of the cores' time is spent outside the tasks' own work; slowest task"
        f" {figures['slowest_task_to_median']:.2f} times the median"
    )
    rows = lake.read("embeddings").where(f"model_version = '{backbone}-1'").select("image_id", "vector").collect()
    vector_of = {row["image_id"]: np.array(row["vector"], dtype=np.float32) for row in rows}
    computed = np.stack([vector_of[name] for name in names])
    expected = in_float32(encoder, jpegs)
    cosines = (computed * expected).sum(1)
    print(f"  cosine to torch in float32 on the same pixels: mean {cosines.mean():.5f}, least {cosines.min():.5f}")
    with (photos / "metadata.csv").open() as file:
        facts = {Path(row["file"]).name: row for row in csv.DictReader(file)}
    labels = np.array([facts[name]["label"] for name in names])
    split = np.array([facts[name]["split"] for name in names])
    figures = [mean_average_precision(vectors, labels, split) for vectors in (computed, expected, pillow_vectors)]
    print(
        "  mAP by label, test on train: the job {:.4f}, float32 {:.4f}, float32 on Pillow's pixels {:.4f}".format(
            *figures
        )
    )
    compare_udf(spark, settings, f"{backbone}-1")
    nights(settings, lake, f"{backbone}-1", seed=100 * len(backbone), full=seconds)


def main(photos: str, weights: str) -> None:
    """Ingest the photos, then compare on each backbone."""
    os.environ["PYTHONPATH"] = str(Path(__file__).parent)  # where Spark's workers find `vary_pictures`
    with tempfile.TemporaryDirectory(prefix="vsearch-bench-") as folder:
        chosen = [f"var={folder}", f"landing.images={photos}/images"]
        spark = start_session(load_settings("demo", chosen), "bench")
        settings = load_settings("demo", chosen)
        lake = Lake(spark, settings.lake.uri, "photos")
        body_of("ingest_images")(StepContext(settings=settings, lake=lake, run_id="photos", say=lambda _: None))
        for backbone in LOOP_PHOTOS:
            initial = {"tf_efficientnet_lite0": "packaged", "mobilenet_v2": weights}.get(backbone, "none")
            model = [f"model.backbone={backbone}", f"model.weights={initial}", f"models.uri={folder}/models-{backbone}"]
            compare(spark, load_settings("demo", [*chosen, *model]), Path(photos))
        spark.stop()


if __name__ == "__main__":
    main(*sys.argv[1:3])
