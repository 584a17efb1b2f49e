"""Features of the untrained backbone: projections are fitted to them, and models are compared with them.

The backbone is a separate model in the registry, whose vectors are these features. They are stored in `embeddings` like
those of any model, so each is computed once.
"""

from dataclasses import replace

import numpy as np
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from vsearch_lib.context import StepContext
from vsearch_lib.embedding.store import embed_and_store
from vsearch_lib.embedding.work import without_vector
from vsearch_lib.models.registry import Card, Recipe, newest
from vsearch_lib.spark.checkpoint import checkpointed
from vsearch_lib.vectors import Vectors


def features_recipe(recipe: Recipe) -> Recipe:
    """Return the recipe of the backbone that models of `recipe` start from."""
    return replace(recipe, dimension=None, training="none")


def features_model(models_uri: str, recipe: Recipe) -> Card | None:
    """Return the card of the backbone that models of `recipe` start from, None if it was never registered."""
    return newest(models_uri, features_recipe(recipe))


def stored_features(context: StepContext, version: str, images: DataFrame) -> DataFrame:
    """Return image_id, sha256 and vector of `images` (image_id, sha256); compute and store those that are missing.

    Args:
        version: the version of the backbone's model.

    Raises:
        GateRefused: more than `quality.max_refused_share` of the missing features cannot be computed.
    """
    known = context.lake.read("embeddings").where(F.col("model_version") == version)
    missing = without_vector(images.select("image_id", "sha256"), known)
    # Images refused before would be refused again, and if only they are missing, the refused share would be 100 %.
    refused = context.lake.read("quarantine").where("table = 'embeddings'").select(F.col("source").alias("image_id"))
    missing = checkpointed(missing.join(refused, "image_id", "left_anti"))
    embed_and_store(context, version, missing, [context.lake.read("image_pixels").select("sha256", "jpeg")])
    stored = context.lake.read("embeddings").where(F.col("model_version") == version)
    return stored.join(images.select("image_id", "sha256"), ["image_id", "sha256"]).select(
        "image_id", "sha256", "vector"
    )


def as_arrays(rows: DataFrame, key: str, *, width: int) -> tuple[list[str], Vectors]:
    """Collect one row for each value of the column `key`: the values in order, and (n, width) float32 vectors."""
    table = rows.select(key, "vector").dropDuplicates([key]).orderBy(key).toArrow()
    values: list[str] = table.column(key).to_pylist()
    flat = table.column("vector").combine_chunks().flatten().to_numpy(zero_copy_only=False)
    return values, np.asarray(flat, dtype=np.float32).reshape(len(values), width)
