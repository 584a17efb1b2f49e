"""Vectors for the images that have none yet under a model."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
import torch
from pyspark.sql import DataFrame
from pyspark.sql.functions import pandas_udf  # type: ignore[attr-defined]

from vsearch_lib.encoder.embed import embed, prepare
from vsearch_lib.encoder.network import Encoder
from vsearch_lib.encoder.registry import load_model
from vsearch_lib.vectors import Vectors


def images_to_embed(images: DataFrame, embeddings: DataFrame) -> DataFrame:
    """Return image_id and sha256 of the living images whose present pixels `embeddings` (of one model) lacks."""
    living = images.where("deleted_at IS NULL AND moderation != 'blocked'").select("image_id", "sha256")
    return living.join(embeddings.select("image_id", "sha256"), ["image_id", "sha256"], "left_anti")


def embed_pixels(
    rows: DataFrame, *, models_uri: str, model_version: str, batch_size: int, threads: int, partitions: int
) -> DataFrame:
    """Return image_id, sha256, vector (array<float>) of `rows` (image_id, sha256, jpeg).

    `vector` is null where the pixels do not decode or the network's answer is not a finite unit vector.
    The model is loaded, and its hash checked, once a worker's task; a task streams, `batch_size` pictures at a time.
    """

    @pandas_udf("array<float>")  # type: ignore[untyped-decorator]
    def vectors(batches: Iterator[pd.Series]) -> Iterator[pd.Series]:
        torch.set_num_threads(threads)
        model = load_model(models_uri, model_version)
        encoder = prepare(model.encoder)
        for jpegs in batches:
            parts = [
                _embed_or_none(encoder, list(jpegs.iloc[start : start + batch_size]), model.card.recipe.input_size)
                for start in range(0, len(jpegs), batch_size)
            ]
            yield pd.Series([vector for part in parts for vector in part], dtype=object)

    spread = rows.repartition(partitions)
    return spread.select("image_id", "sha256", vectors("jpeg").alias("vector"))


def _embed_or_none(encoder: Encoder, jpegs: list[bytes], side: int) -> list[Vectors | None]:
    """Embed a batch; where a picture in it does not decode, one by one, so that its neighbours get theirs."""
    try:
        found = embed(encoder, jpegs, side=side)
    except ValueError:
        if len(jpegs) == 1:
            return [None]
        return [vector for jpeg in jpegs for vector in _embed_or_none(encoder, [jpeg], side)]
    lengths = np.linalg.norm(found, axis=1)
    return [vector if abs(length - 1) < 1e-3 else None for vector, length in zip(found, lengths, strict=True)]
