"""Vectors of a training's pictures in one array on disk: by the frozen backbone, with views, or by a teacher."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from vsearch_lib.context import StepContext
from vsearch_lib.embedding.features import as_arrays, stored_features
from vsearch_lib.embedding.projected import Sample
from vsearch_lib.embedding.view_features import delete_other_views, stored_view_features, view_recipe
from vsearch_lib.embedding.views import Views
from vsearch_lib.examples.boxes import Boxes
from vsearch_lib.examples.split import images_with_split
from vsearch_lib.models.registry import Card
from vsearch_lib.vectors import Vectors

_AT_ONCE = 20_000  # features that the driver collects: 100 MB


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
    for images in _public(context, sorted(place), at_once=_AT_ONCE):
        found, stored = as_arrays(stored_features(context, card.version, images), "sha256", width=card.dimension)
        vectors[[place[sha256] for sha256 in found]] = stored
    return vectors[: len(hashes)]


def collect_view_features(
    context: StepContext,
    backbone: Card,
    hashes: Sequence[str],
    boxes: Boxes,
    views: int,
    file: Path,
    *,
    sample: Sample,
) -> Vectors:
    """Return features (n, 1 + views, width) of pictures and of random views of each, mapped from `file`.

    Row 0 is `collect_vectors` of the picture itself, which also stands for views that have no features. Views that no
    training has made are made by Spark tasks, and their features are stored in `view_features`; those of other recipes
    and other backbones are deleted.

    Args:
        context: of the step.
        backbone: the card of the frozen backbone.
        hashes: (n) the sha256 of each picture.
        boxes: the parts of pictures that the views show.
        views: how many of each picture.
        file: to be written.
        sample: has features of some pictures, which are not read again.

    Raises:
        GateRefused: more than `quality.max_refused_share` of some pictures have a view without features.
    """
    n, width = len(hashes), backbone.dimension
    features = np.memmap(file, np.float32, "w+", shape=(max(1, n), 1 + views, width))[:n]
    own = file.with_name(f"{file.name}-own")
    features[:] = collect_vectors(context, backbone, hashes, own, sample=sample)[:, None]
    own.unlink()
    if not views:
        return features
    recipe = view_recipe(context.lake, backbone.version, boxes)
    place = {sha256: i for i, sha256 in enumerate(hashes)}
    for images in _public(context, sorted(place), at_once=max(1, _AT_ONCE // views)):
        rows = stored_view_features(context, backbone.version, images, Views(recipe, views))
        found, vectors = as_arrays(rows, "sha256", width=views * width)
        features[[place[sha256] for sha256 in found], 1:] = vectors.reshape(len(found), views, width)
    delete_other_views(context.lake, backbone.version, recipe)
    return features


def _public(context: StepContext, hashes: Sequence[str], *, at_once: int) -> Iterator[DataFrame]:
    """Yield image_id and sha256 of the public images with these pictures, so many pictures at a time."""
    public = images_with_split(context.lake, context.settings)
    for start in range(0, len(hashes), at_once):
        wanted = context.spark.createDataFrame([(one,) for one in hashes[start : start + at_once]], "sha256 string")
        yield public.join(F.broadcast(wanted), "sha256").select("image_id", "sha256")
