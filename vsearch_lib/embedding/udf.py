"""A pandas UDF from pictures to vectors, for a table of picture bytes that is to be searched or joined."""

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
    """Return a function from a column of picture bytes to array<float>, a unit vector for each picture.

        embed = embedding_udf(spark, load_settings("local"))
        pictures.select("name", embed("content"))

    Pictures are checked and normalised as in `ingest_images`, so a landed picture and its stored form in `image_pixels`
    both have the vector of `embeddings`. The vector is null if the picture is null or refused.

    Args:
        settings: they name the registry, and the limits of accepted pictures.
        version: the version of the model; None for the model in use.

    Raises:
        ArtefactError: there is no such model, or one of its files differs from its card.
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
    rows, jpegs = [], []
    for row, content in enumerate(pictures):
        if content is not None:
            try:
                jpegs.append(normalise(bytes(content), limits).jpeg)
                rows.append(row)
            except RefusedPicture:
                continue
    embedded = embedder.try_embed(jpegs)
    for i, row in enumerate(rows):
        if i not in embedded.refused:
            vectors[row] = embedded.vectors[i]
    return pd.Series(vectors, dtype=object)
