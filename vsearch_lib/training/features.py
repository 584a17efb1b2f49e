"""Vectors of a training's pictures in one array on disk: features of the frozen backbone, or those of a teacher."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from pyspark.sql import functions as F

from vsearch_lib.context import StepContext
from vsearch_lib.embedding.features import as_arrays, stored_features
from vsearch_lib.embedding.projected import Sample
from vsearch_lib.examples.split import images_with_split
from vsearch_lib.models.registry import Card
from vsearch_lib.vectors import Vectors

_AT_ONCE = 20_000  # pictures that the driver collects: 100 MB of features


def collect_vectors(
    context: StepContext, card: Card, hashes: Sequence[str], file: Path, *, sample: Sample | None = None
) -> Vectors:
    """Return vectors (n, d) of public pictures with these sha256, zeros for one that has none, mapped from `file`.

    Vectors that no run has computed are computed by Spark tasks and stored in `embeddings`.

    Args:
        context: of the step.
        card: of any registered model: for the frozen backbone, the vectors are its features.
        hashes: (n) the sha256 of each picture.
        file: to be written.
        sample: has vectors of some pictures, which are not read again.

    Raises:
        GateRefused: more than `quality.max_refused_share` of the missing vectors cannot be computed.
    """
    vectors = np.memmap(file, np.float32, "w+", shape=(max(1, len(hashes)), card.dimension))
    place = {sha256: i for i, sha256 in enumerate(hashes)}
    if sample is not None:
        for sha256, vector in zip(sample.hashes, sample.features, strict=True):
            if (i := place.pop(sha256, None)) is not None:
                vectors[i] = vector
    missing, public = sorted(place), images_with_split(context.lake, context.settings)
    for start in range(0, len(missing), _AT_ONCE):
        wanted = context.spark.createDataFrame([(one,) for one in missing[start : start + _AT_ONCE]], "sha256 string")
        images = public.join(F.broadcast(wanted), "sha256").select("image_id", "sha256")
        found, stored = as_arrays(stored_features(context, card.version, images), "sha256", width=card.dimension)
        vectors[[place[sha256] for sha256 in found]] = stored
    return vectors[: len(hashes)]
