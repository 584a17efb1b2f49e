"""A pandas UDF from pictures to vectors, for whoever has a table of image bytes and wants to search or join with it."""

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import pandas as pd
from pyspark.sql import Column, SparkSession
from pyspark.sql.pandas.functions import pandas_udf

from vsearch_lib.config import Settings
from vsearch_lib.embedding.worker import task_embedder
from vsearch_lib.encoder.embed import Embedder
from vsearch_lib.images.decode import Limits, RefusedPicture, normalise
from vsearch_lib.models.load import load_model
from vsearch_lib.models.promotion import current_model

Embed: TypeAlias = Callable[[str | Column], Column]


def embedding_udf(spark: SparkSession, settings: Settings, *, version: str | None = None) -> Embed:
    """Return a function of a column of image bytes that gives array<float>, a unit vector for each picture.

        embed = embedding_udf(spark, load_settings("local"))
        pictures.select("name", embed("content"))

    Pictures are checked and normalised as `ingest_images` does it: of one that landed, and of its stored form in
    `image_pixels`, the vector is that of `embeddings`. What is null, or refused, has none: null.

    Args:
        settings: they name the registry, and the limits of what is accepted.
        version: of the model; None is the one that is in use.

    Raises:
        ArtefactError: there is no such model, or a file of it is not what its card says.
    """
    model = load_model(settings.models.uri, version or current_model(settings).version)
    shared = spark.sparkContext.broadcast(model)
    image, batch_size = settings.image, settings.embedding.batch_size
    limits = Limits(image.max_bytes, image.max_pixels, image.min_side, image.size, image.max_aspect)

    def embed(columns: Iterator[pd.Series]) -> Iterator[pd.Series]:
        embedder = task_embedder(shared.value, batch_size)
        for pictures in columns:
            yield _vectors(embedder, pictures, limits)

    function: Embed = pandas_udf(embed, "array<float>")  # type: ignore[call-overload]
    return function


def _vectors(embedder: Embedder, pictures: "pd.Series[Any]", limits: Limits) -> "pd.Series[Any]":
    vectors: list[Any] = [None] * len(pictures)
    places, jpegs = [], []
    for place, content in enumerate(pictures):
        if content is not None:
            try:
                jpegs.append(normalise(bytes(content), limits).jpeg)
                places.append(place)
            except RefusedPicture:
                continue
    embedded = embedder.try_embed(jpegs)
    for among, place in enumerate(places):
        if among not in embedded.refused:
            vectors[place] = embedded.vectors[among]
    return pd.Series(vectors, dtype=object)
