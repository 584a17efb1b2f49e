"""A term that keeps the similarities that the frozen backbone found."""

import numpy as np
import torch
from torch import Tensor, nn

from vsearch_lib.encoder.projection import Projection
from vsearch_lib.vectors import Vectors

_ROWS_AT_ONCE = 10_000


def frozen_vectors(features: Vectors, projection: Projection) -> Vectors:
    """Return (pictures, dimension) of unit length: what pictures are before the training.

    Args:
        features: (pictures, width) of the frozen backbone; zeros for a picture that has none, which stays zeros.
        projection: fitted to the catalogue.
    """
    vectors = np.zeros((len(features), projection.dimension), dtype=np.float32)
    for start in range(0, len(features), _ROWS_AT_ONCE):
        some = features[start : start + _ROWS_AT_ONCE]
        projected = projection.apply(some)
        lengths = np.linalg.norm(projected, axis=1, keepdims=True)
        known = some.any(axis=1, keepdims=True) & (lengths > 0)
        vectors[start : start + len(some)] = np.divide(projected, lengths, out=np.zeros_like(projected), where=known)
    return vectors


def kept_similarities_loss(vectors: Tensor, frozen: Tensor, *, temperature: float) -> Tensor:
    """Return how far the similarities have moved, a scalar, 0 if not at all.

    It is the mean over pictures of the Kullback-Leibler divergence of two softmaxes over the similarities to all other
    pictures: that of the trained vectors from that of the frozen ones (Tejankar et al. 2021,
    https://arxiv.org/abs/2012.09259, with the other pictures of the batch as anchors).

    Args:
        vectors: (n, dimension) float of unit length, of different pictures.
        frozen: (n, width) float of unit length; pictures with zeros are left out.
        temperature: of both softmaxes.
    """
    known = frozen.any(dim=1)
    n = int(known.sum())
    if n < 2:
        return vectors.sum() * 0
    others = ~torch.eye(n, dtype=torch.bool, device=vectors.device)

    def log_shares(some: Tensor) -> Tensor:
        similarities = (some[known] @ some[known].T)[others].view(n, n - 1)
        return nn.functional.log_softmax(similarities / temperature, dim=1)

    return nn.functional.kl_div(log_shares(vectors), log_shares(frozen), reduction="batchmean", log_target=True)
