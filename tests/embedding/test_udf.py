"""The pandas UDF gives a picture the same vector as the embedding step and a search."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image
from pyspark.sql import functions as F

from vsearch_lib.embedding.udf import embedding_udf
from vsearch_lib.errors import ArtefactError
from vsearch_lib.images.decode import Limits, normalise
from vsearch_lib.serving.query import query_picture

ROWS = "name string, content binary"


@pytest.fixture
def photos(draw) -> dict[str, bytes]:
    """Pictures as they land: a PNG, a JPEG that lies on its side, a GIF with a palette, and an upright JPEG."""
    image = Image.open(io.BytesIO(draw(1))).resize((400, 330), Image.Resampling.BICUBIC)
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned a quarter clockwise
    contents = {}
    for name, picture, options in (
        ("png", image, {"format": "PNG"}),
        ("sideways", image, {"format": "JPEG", "exif": exif}),
        ("palette", image.convert("P"), {"format": "GIF"}),
        ("jpeg", image.rotate(180), {"format": "JPEG", "quality": 75}),
    ):
        sink = io.BytesIO()
        picture.save(sink, **options)
        contents[name] = sink.getvalue()
    return contents


def vectors(rows) -> dict[str, np.ndarray]:
    return {row["name"]: np.array(row["vector"], np.float32) for row in rows.collect() if row["vector"]}


def test_a_landed_picture_has_the_same_vector_in_the_table_a_search_and_the_udf(catalogue, photos, spark):
    limits = Limits(20_000_000, 50_000_000, 16, 256)
    stored = {name: normalise(content, limits).jpeg for name, content in photos.items()}
    catalogue.land(stored)
    catalogue.embed()
    table = catalogue.vectors()
    embed = embedding_udf(spark, catalogue.settings)
    model = embed_model(catalogue)
    for contents in (photos, stored):
        rows = spark.createDataFrame([(n, bytearray(c)) for n, c in contents.items()], ROWS)
        by_udf = vectors(rows.select("name", embed("content").alias("vector")))
        by_search = {name: model.embed([query_picture(content, limits).jpeg])[0] for name, content in contents.items()}
        for name, vector in table.items():
            assert by_udf[name] @ vector >= 0.9999
            assert by_search[name] @ vector >= 0.9999


def embed_model(catalogue):
    from vsearch_lib.models.load import load_model

    return load_model(catalogue.settings.models.uri, "m1").embedder(batch_size=1)


def test_the_vector_of_a_picture_that_cannot_be_decoded_is_null_and_others_are_not(catalogue, photos, spark):
    contents = [("first", photos["png"]), ("empty", b""), ("text", b"not a picture"), ("none", None)]
    contents += [("cut", photos["jpeg"][:400]), ("last", photos["jpeg"])]
    rows = spark.createDataFrame([(n, bytearray(c) if c is not None else None) for n, c in contents], ROWS)
    embed = embedding_udf(spark, catalogue.settings)
    embedded = rows.coalesce(1).select("name", embed(F.col("content")).alias("vector")).collect()
    assert [row["name"] for row in embedded] == [name for name, _ in contents]
    assert {row["name"] for row in embedded if row["vector"] is None} == {"empty", "text", "none", "cut"}


def test_the_udf_embeds_with_the_given_model_version(catalogue, photos, spark):
    catalogue.model("m2", seed=2)
    rows = spark.createDataFrame([("png", bytearray(photos["png"]))], ROWS)
    first, second = (
        vectors(
            rows.select("name", embedding_udf(spark, catalogue.settings, version=version)("content").alias("vector"))
        )
        for version in ("m1", "m2")
    )
    assert first["png"] @ second["png"] < 0.9


def test_an_unknown_model_version_is_refused_before_any_task(catalogue, spark):
    with pytest.raises(ArtefactError, match="m9"):
        embedding_udf(spark, catalogue.settings, version="m9")
