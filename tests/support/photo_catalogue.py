"""Fixtures: a catalogue of pictures in a lake, and an untrained model that embeds them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest
import simplejpeg
from pyspark.sql import SparkSession

from tests.support.small_model import SMALL, small_graph
from vsearch_lib.config import Settings, load_settings
from vsearch_lib.context import StepContext
from vsearch_lib.encoder.network import untrained
from vsearch_lib.lake import Lake
from vsearch_lib.models.registration import register
from vsearch_lib.models.registry import recipe_of
from vsearch_lib.run.bodies import body_of

DAY = date(2024, 5, 6)
NOON = datetime(2024, 5, 6, 12, tzinfo=UTC)
BROKEN = b"\xff\xd8\xff\xe0 cut"


def picture(seed: int) -> bytes:
    grain = np.random.default_rng(seed).integers(0, 256, (5, 6, 3), dtype=np.uint8)
    pixels = np.ascontiguousarray(np.kron(grain, np.ones((8, 8, 1), dtype=np.uint8)))
    return bytes(simplejpeg.encode_jpeg(pixels, quality=95, colorspace="RGB"))


def sha256(jpeg: bytes) -> str:
    return hashlib.sha256(jpeg).hexdigest()


@dataclass
class Catalogue:
    """Writes images and pixels as ingestion does, and runs the job that embeds them."""

    spark: SparkSession
    settings: Settings
    runs: int = 0

    @property
    def lake(self) -> Lake:
        self.runs += 1
        return Lake(self.spark, self.settings.lake.uri, f"run-{self.runs}")

    def model(self, version: str = "m1", seed: int = 1) -> None:
        recipe = recipe_of(self.settings)
        encoder = untrained(recipe.backbone, dimension=recipe.dimension, seed=seed)
        graph = small_graph(seed=seed) if recipe.backbone == "small" else None
        register(self.settings.models.uri, encoder, version=version, recipe=recipe, run_id="run-0", graph=graph)

    def pixels(self, jpegs: Sequence[bytes], hashes: Sequence[str] | None = None) -> None:
        rows = [
            (name, bytearray(jpeg), name[:16], 48, 40, "RGB", 1.0, 1.0)
            for name, jpeg in zip(hashes or map(sha256, jpegs), jpegs, strict=True)
        ]
        columns = (
            "sha256 string, jpeg binary, phash string, width int, height int, mode string, brightness double, "
            "sharpness double"
        )
        self.lake.upsert("image_pixels", self.spark.createDataFrame(rows, columns))

    def images(self, hashes: dict[str, str], **facts: object) -> None:
        """Write images; `hashes` maps the id of each to the sha256 of its pixels."""
        fact = {"tags": ["t"], "visibility": "public", "moderation": "ok", "deleted_at": None, **facts}
        landing = self.settings.landing.images
        upload = (NOON, DAY, fact["tags"], fact["visibility"], fact["moderation"])
        rows = [
            (
                "owner",
                name,
                *upload,
                f"{landing}/{name}",
                digest,
                digest[:16],
                48,
                40,
                "RGB",
                fact["deleted_at"],
                (DAY,) * 7,
            )
            for name, digest in hashes.items()
        ]
        columns = (
            "owner_id string, image_id string, uploaded_at timestamp, upload_date date, tags array<string>, "
            "visibility string, moderation string, source_uri string, sha256 string, phash string, width int, "
            "height int, mode string, deleted_at timestamp, said_on struct<file: date, owner_id: date, "
            "uploaded_at: date, tags: date, visibility: date, moderation: date, deleted: date>"
        )
        self.lake.upsert("images", self.spark.createDataFrame(rows, columns))

    def land(self, jpegs: dict[str, bytes]) -> None:
        """Write images with their pixels, and the landed files that they came from."""
        for name, jpeg in jpegs.items():
            file = Path(self.settings.landing.images) / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(jpeg)
        self.pixels([*{sha256(jpeg): jpeg for jpeg in jpegs.values()}.values()])
        self.images({name: sha256(jpeg) for name, jpeg in jpegs.items()})

    def embed(self, *overrides: str, retry: bool = False) -> dict[str, float]:
        """Run the job and return its figures."""
        settings = load_settings(
            "demo", [f"var={self.settings.var}", *SMALL, "embedding.images_per_task=4", *overrides]
        )
        lake = self.lake
        job = StepContext(settings=settings, lake=lake, run_id=lake.run_id, say=lambda _: None)
        return {figure.metric: figure.value for figure in body_of("embed_images")(job, retry=retry)}

    def vectors(self, version: str = "m1") -> dict[str, np.ndarray]:
        rows = self.lake.read("embeddings").where(f"model_version = '{version}'").collect()
        vectors = {row["image_id"]: np.array(row["vector"], dtype=np.float32) for row in rows}
        assert len(vectors) == len(rows)
        return vectors

    def versions(self) -> dict[str, int | None]:
        return {table: self.lake.version(table) for table in ("embeddings", "quarantine")}


@pytest.fixture
def catalogue(spark, settings) -> Catalogue:
    made = Catalogue(spark, settings)
    made.model()
    return made


@pytest.fixture
def jpegs() -> dict[str, bytes]:
    return {f"image-{seed:02d}": picture(seed) for seed in range(10)}


@pytest.fixture(scope="session")
def draw():
    """The function `picture`, which draws the picture of a seed."""
    return picture
