"""Features of the frozen backbone for the pictures of a training, in one array on disk."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from pyspark.sql import functions as F

from vsearch_lib.context import StepContext
from vsearch_lib.embedding.features import as_arrays, stored_features
from vsearch_lib.embedding.projected import Fitted
from vsearch_lib.examples.split import images_with_split
from vsearch_lib.models.registry import Card
from vsearch_lib.vectors import Vectors

_AT_ONCE = 20_000  # pictures that the driver collects: 100 MB of features


def collect_features(
    context: StepContext, backbone: Card, hashes: Sequence[str], fitted: Fitted, file: Path
) -> Vectors:
    """Return features (n, width) of public pictures with these sha256, zeros for one that has none, mapped from `file`.

    Features that no run has computed are computed by Spark tasks and stored in `embeddings`.

    Args:
        context: of the step.
        backbone: the card of the frozen backbone.
        hashes: (n) the sha256 of each picture.
        fitted: has features of a sample, which are not read again.
        file: to be written.
    """
    features = np.memmap(file, np.float32, "w+", shape=(max(1, len(hashes)), backbone.dimension))
    place = {sha256: i for i, sha256 in enumerate(hashes)}
    for sha256, vector in zip(fitted.hashes, fitted.features, strict=True):
        if (i := place.pop(sha256, None)) is not None:
            features[i] = vector
    missing, public = sorted(place), images_with_split(context.lake, context.settings)
    for start in range(0, len(missing), _AT_ONCE):
        wanted = context.spark.createDataFrame([(one,) for one in missing[start : start + _AT_ONCE]], "sha256 string")
        images = public.join(F.broadcast(wanted), "sha256").select("image_id", "sha256")
        found, vectors = as_arrays(
            stored_features(context, backbone.version, images), "sha256", width=backbone.dimension
        )
        features[[place[sha256] for sha256 in found]] = vectors
    return features[: len(hashes)]
