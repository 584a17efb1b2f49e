"""Spark gives each picture the vector that it has on the driver."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
import simplejpeg
from pyspark.sql import functions as F

from vsearch_lib.embedding import embed_pixels, images_to_embed
from vsearch_lib.encoder.embed import embed, prepare
from vsearch_lib.encoder.network import untrained
from vsearch_lib.encoder.registry import Card, Recipe, save_model, serialise

SIDE = 32
BROKEN = {"image-04": b"not a jpeg", "image-05": b"\xff\xd8\xff\xe0 cut"}


@pytest.fixture(scope="module")
def jpegs() -> dict[str, bytes]:
    rng = np.random.default_rng(5)
    made = {}
    for i in range(12):
        grain = rng.integers(0, 256, (5, 6, 3), dtype=np.uint8)
        picture = np.ascontiguousarray(np.kron(grain, np.ones((8, 8, 1), dtype=np.uint8)))
        made[f"image-{i:02d}"] = bytes(simplejpeg.encode_jpeg(picture, quality=95, colorspace="RGB"))
    return {**made, **BROKEN}


@pytest.fixture(scope="module")
def encoder():
    return untrained("small", dimension=16, seed=4)


@pytest.fixture(scope="module")
def embedded(spark, tmp_path_factory, jpegs, encoder) -> dict[str, np.ndarray | None]:
    models = tmp_path_factory.mktemp("models")
    weights = hashlib.sha256(serialise(encoder)).hexdigest()
    save_model(str(models), encoder, Card("m1", Recipe("small", 16, SIDE, None), weights, None, "run-1", {}))
    rows = spark.createDataFrame(
        [(image, hashlib.sha256(jpeg).hexdigest(), bytearray(jpeg)) for image, jpeg in jpegs.items()],
        "image_id string, sha256 string, jpeg binary",
    )
    found = embed_pixels(rows, models_uri=str(models), model_version="m1", batch_size=4, threads=1, partitions=2)
    assert found.columns == ["image_id", "sha256", "vector"]
    collected = found.collect()
    assert {row["image_id"]: row["sha256"] for row in collected} == {
        image: hashlib.sha256(jpeg).hexdigest() for image, jpeg in jpegs.items()
    }
    return {row["image_id"]: row["vector"] and np.array(row["vector"], dtype=np.float32) for row in collected}


def test_a_picture_that_does_not_decode_has_no_vector_and_every_other_has_one(embedded):
    assert {image for image, vector in embedded.items() if vector is None} == set(BROKEN)


def test_vectors_are_those_of_the_driver(embedded, jpegs, encoder):
    whole = [image for image in jpegs if image not in BROKEN]
    expected = embed(prepare(encoder), [jpegs[image] for image in whole], side=SIDE)
    found = np.stack([embedded[image] for image in whole])
    assert (found * expected).sum(axis=1).min() > 0.9999


def images(spark, rows):
    columns = "image_id string, sha256 string, moderation string, deleted boolean"
    frame = spark.createDataFrame(rows, columns)
    return frame.withColumn("deleted_at", F.when(F.col("deleted"), F.lit("2026-03-01").cast("timestamp")))


def test_only_living_images_whose_present_pixels_have_no_vector_are_embedded(spark):
    landed = images(
        spark,
        [
            ("new", "a", "ok", False),
            ("unreviewed", "b", "unreviewed", False),
            ("known", "c", "ok", False),
            ("changed", "d2", "ok", False),
            ("deleted", "e", "ok", True),
            ("blocked", "f", "blocked", False),
            ("copy of known", "c", "ok", False),
        ],
    )
    embeddings = spark.createDataFrame([("known", "c"), ("changed", "d1")], "image_id string, sha256 string")
    found = images_to_embed(landed, embeddings).collect()
    assert sorted(map(tuple, found)) == [("changed", "d2"), ("copy of known", "c"), ("new", "a"), ("unreviewed", "b")]


def test_a_second_run_has_nothing_to_embed(spark):
    landed = images(spark, [("one", "a", "ok", False), ("two", "b", "ok", False)])
    assert images_to_embed(landed, images_to_embed(landed, landed.limit(0))).isEmpty()
