"""A projection fitted to features of the catalogue, and the vectors that it gives to the pictures of the sample."""

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
class Fitted:
    """A projection, the number of pictures it was fitted to, and the share of their variance that it keeps.

    `hashes` and `features` (n, width) are those of the whole sample, including test images.
    """

    projection: Projection
    pictures: int
    variance_kept: float
    hashes: list[str]
    features: Vectors


def fit_projection(context: StepContext, backbone: Card, *, dimension: int, seed: int) -> Fitted:
    """Fit a projection to features of a seeded sample of the public images: to those of the training split.

    Spark tasks compute the features of the whole sample: `evaluate` ranks by those of test images.

    Raises:
        GateRefused: more than `quality.max_refused_share` of the sample cannot be embedded.
    """
    order = F.xxhash64("image_id", F.lit(seed))
    sample = checkpointed(
        images_with_split(context.lake, context.settings).orderBy(order, "image_id").limit(SAMPLE_IMAGES)
    )
    hashes, features = as_arrays(stored_features(context, backbone.version, sample), "sha256", width=backbone.dimension)
    training = {row["sha256"] for row in sample.where("split = 'train'").select("sha256").distinct().collect()}
    fitted_to = [i for i, sha256 in enumerate(hashes) if sha256 in training]
    projection, kept = fit_pca(features[fitted_to], dimension=dimension, seed=seed)
    return Fitted(projection, len(fitted_to), kept, hashes, features)


def save_projected(context: StepContext, version: str, projection: Projection, fitted: Fitted) -> None:
    """Save the vectors that `projection` gives to the sample as pending, so that `embed_images` does not compute them.

    Args:
        context: of the step.
        version: of the model that has this projection.
        projection: of the model; training may have changed it since it was fitted.
        fitted: has the features of the sample.
    """
    vectors = projection.apply(fitted.features)
    lengths = np.linalg.norm(vectors, axis=1)
    directed = np.flatnonzero(lengths > 1e-6)  # embed_images refuses the others with a reason
    if len(directed):
        unit = vectors[directed] / lengths[directed, None]
        write_pending(Pending(context.lake, version).uri, [fitted.hashes[i] for i in directed], unit)
