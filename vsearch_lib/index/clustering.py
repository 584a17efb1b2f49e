"""The centroids of many lists, by k-means in two levels."""

import math
from concurrent.futures import ThreadPoolExecutor

import faiss
import numpy as np

from vsearch_lib.vectors import Vectors

# Groups are few: they are placed by so many vectors each, and the rest of the sample is assigned to them once.
_MAX_VECTORS_PER_GROUP = 2_000
# As faiss itself takes for lists; with the 25 of its plain k-means no answer was better.
_ROUNDS = 10


def train_coarse(quantizer: faiss.Index, sample: Vectors, lists: int) -> None:
    """Fill the empty `quantizer` with `lists` unit centroids of `sample` (n, d), by inner product.

    K-means of n vectors into K lists costs n·K·d a round. Here √K groups are found first, and each is clustered by
    itself into as many lists as its share of the vectors: about 2·n·√K·d a round. Groups cut through what lies on their
    borders, so that in a last round each vector goes to the nearest of all centroids, which `quantizer` finds.

    Raises:
        RuntimeError: of faiss, where there are more lists than vectors.
    """
    groups = _kmeans(sample, math.isqrt(lists), max_points_per_centroid=_MAX_VECTORS_PER_GROUP)
    _, nearest = faiss.knn(sample, groups, 1, metric=faiss.METRIC_INNER_PRODUCT)
    order = np.argsort(nearest[:, 0], kind="stable")
    ends = np.cumsum(np.bincount(nearest[:, 0]))
    # Rounded so that they add up to all lists; a tiny group may get none.
    shares = np.diff(ends * lists // len(sample), prepend=0)
    places = [place for place in zip([0, *ends[:-1]], ends, shares, strict=True) if place[2]]

    def within(place: tuple[int, int, int]) -> Vectors:
        start, end, share = place
        faiss.omp_set_num_threads(1)  # of this thread: sums of several round otherwise
        return _kmeans(sample[order[start:end]], int(share))

    with ThreadPoolExecutor(faiss.omp_get_max_threads()) as clusterers:
        centroids = np.concatenate(list(clusterers.map(within, places)))
    last = faiss.Clustering(sample.shape[1], lists)
    last.spherical, last.niter, last.min_points_per_centroid = True, 1, 1
    faiss.copy_array_to_vector(centroids.ravel(), last.centroids)
    last.train(sample, quantizer)


def _kmeans(vectors: Vectors, centroids: int, **limits: int) -> Vectors:
    """Return (centroids, d) unit vectors."""
    limits |= {"niter": _ROUNDS, "min_points_per_centroid": 1}
    clustering = faiss.Kmeans(vectors.shape[1], centroids, spherical=True, **limits)
    clustering.train(vectors)
    return np.asarray(clustering.centroids)
