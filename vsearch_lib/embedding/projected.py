"""A sample of the catalogue with its features, a projection fitted to them, and the vectors that it gives to them."""

from dataclasses import dataclass

import numpy as np
from pyspark.sql import functions as F

from vsearch_lib.context import StepContext
from vsearch_lib.embedding.features import as_arrays, stored_features
from vsearch_lib.embedding.pending import Pending, write_pending
from vsearch_lib.encoder.projection import Projection, fit_pca
from vsearch_lib.examples.split import images_with_split
from vsearch_lib.models.registry import Card
from vsearch_lib.spark.checkpoint import checkpointed
from vsearch_lib.vectors import Vectors

# The axes change little with more: fitted to 3,068 clothing photos they find as much as fitted to 3,781. The features
# of this many images take 50 MB in the driver.
SAMPLE_IMAGES = 10_000


@dataclass(frozen=True)
class Sample:
    """Public images, chosen at random with a seed, and their features.

    Attributes:
        hashes: (n) the sha256 of each picture, including test images.
        features: (n, width) of unit length.
        learnable: the numbers of the pictures that are in the training split.
    """

    hashes: list[str]
    features: Vectors
    learnable: list[int]


@dataclass(frozen=True)
class Fitted:
    """A projection, the number of pictures it was fitted to, and the share of their variance that it keeps."""

    projection: Projection
    pictures: int
    variance_kept: float


def sample_features(context: StepContext, backbone: Card, *, seed: int) -> Sample:
    """Return a sample of the public images with their features, which Spark tasks compute if they are not stored.

    The sample has images of all splits: `evaluate` ranks by the features of test images.

    Raises:
        GateRefused: more than `quality.max_refused_share` of the sample cannot be embedded.
    """
    order = F.xxhash64("image_id", F.lit(seed))
    sample = checkpointed(
        images_with_split(context.lake, context.settings).orderBy(order, "image_id").limit(SAMPLE_IMAGES)
    )
    hashes, features = as_arrays(stored_features(context, backbone.version, sample), "sha256", width=backbone.dimension)
    training = {row["sha256"] for row in sample.where("split = 'train'").select("sha256").distinct().collect()}
    return Sample(hashes, features, [i for i, sha256 in enumerate(hashes) if sha256 in training])


def fit_projection(sample: Sample, *, dimension: int, seed: int) -> Fitted:
    """Fit a projection to the features of those pictures of the sample that are in the training split."""
    projection, kept = fit_pca(sample.features[sample.learnable], dimension=dimension, seed=seed)
    return Fitted(projection, len(sample.learnable), kept)


def save_projected(context: StepContext, version: str, projection: Projection, sample: Sample) -> None:
    """Save the vectors that `projection` gives to the sample as pending, so that `embed_images` does not compute them.

    Args:
        context: of the step.
        version: of the model that has this projection.
        projection: of the model.
        sample: its pictures and their features.
    """
    vectors = projection.apply(sample.features)
    lengths = np.linalg.norm(vectors, axis=1)
    directed = np.flatnonzero(lengths > 1e-6)  # embed_images refuses the others with a reason
    if len(directed):
        unit = vectors[directed] / lengths[directed, None]
        write_pending(Pending(context.lake, version).uri, [sample.hashes[i] for i in directed], unit)
