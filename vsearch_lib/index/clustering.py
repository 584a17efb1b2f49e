"""The centroids of many lists, by k-means in two levels."""

import hashlib
import math
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor

import faiss
import numpy as np

from vsearch_lib.vectors import RowIds, Vectors

# K-means finds the few groups from at most this many vectors for each; then all vectors are assigned to them once.
_MAX_VECTORS_PER_GROUP = 2_000
# As many as faiss itself uses for lists; the 25 of its plain k-means improved no answer.
_ROUNDS = 10
_CHUNK_ROWS = 16_384
_TINY = np.finfo(np.float32).tiny


def single_faiss_threads() -> ThreadPoolExecutor:
    """Return threads that each run faiss on one thread: a product or sum that threads share is rounded differently."""
    return ThreadPoolExecutor(faiss.omp_get_max_threads(), initializer=faiss.omp_set_num_threads, initargs=(1,))


def train_coarse(quantizer: faiss.Index, sample: Vectors, lists: int, threads: Executor) -> None:
    """Fill the empty `quantizer` with `lists` unit centroids of `sample` (n, d), by inner product.

    K-means of n vectors into K lists costs n·K·d a round. Here √K groups are found first, and each group is clustered
    separately into a number of lists in proportion to its vectors: about 2·n·√K·d a round. Borders of groups separate
    near vectors, so in a last round each vector is assigned to the nearest of all centroids, which `quantizer` finds.

    Equal vectors count once until the last round. Otherwise a placeholder picture that half of a catalogue shows would
    get half of the lists, all with the same centroid: one would hold every copy, and a query near it would visit the
    empty others.

    With `single_faiss_threads` the centroids do not depend on the number of threads.

    Raises:
        RuntimeError: from faiss, if there are more lists than vectors.
    """
    limit = _MAX_VECTORS_PER_GROUP
    distinct = _distinct(sample, at_least=lists)
    group_centroids = threads.submit(_kmeans, distinct, math.isqrt(lists), max_points_per_centroid=limit).result()
    groups = faiss.IndexFlatIP(sample.shape[1])
    groups.add(group_centroids)
    group_of = np.concatenate([nearest for _, nearest in _assigned(distinct, groups, threads)])
    order = np.argsort(group_of, kind="stable")
    ends = np.cumsum(np.bincount(group_of))
    # Rounded so that they add up to all lists; a tiny group may get none.
    list_counts = np.diff(ends * lists // len(distinct), prepend=0)
    parts = [part for part in zip([0, *ends[:-1]], ends, list_counts, strict=True) if part[2]]
    clustered = threads.map(lambda part: _kmeans(distinct[order[part[0] : part[1]]], int(part[2])), parts)
    centroids = np.concatenate(list(clustered))
    threads.submit(quantizer.add, centroids).result()
    means = _means(_assigned(sample, quantizer, threads), centroids)
    quantizer.reset()
    threads.submit(quantizer.add, means).result()


def _distinct(vectors: Vectors, *, at_least: int) -> Vectors:
    """Return each distinct vector of (n, d) once, in order, and copies too if fewer than `at_least` are distinct."""
    # Hashes take far less memory than sorting the vectors; a collision loses one vector of the sample.
    hashes = [hashlib.blake2b(vector, digest_size=8).digest() for vector in vectors]
    _, firsts = np.unique(np.frombuffer(b"".join(hashes), dtype="<u8"), return_index=True)
    if len(firsts) == len(vectors):
        return vectors
    if len(firsts) < at_least:
        copies = np.setdiff1d(np.arange(len(vectors)), firsts)
        firsts = np.concatenate([firsts, copies[: at_least - len(firsts)]])
    chosen: Vectors = vectors[np.sort(firsts)]
    return chosen


def _assigned(sample: Vectors, quantizer: faiss.Index, threads: Executor) -> Iterator[tuple[Vectors, RowIds]]:
    """Return the sample in chunks, each with the numbers of its vectors' nearest centroids."""
    chunks = [sample[start : start + _CHUNK_ROWS] for start in range(0, len(sample), _CHUNK_ROWS)]
    nearest = threads.map(lambda chunk: quantizer.search(chunk, 1)[1][:, 0], chunks)
    return zip(chunks, nearest, strict=True)


def _means(assigned: Iterator[tuple[Vectors, RowIds]], centroids: Vectors) -> Vectors:
    """Return the unit mean of the vectors assigned to each centroid, or the centroid itself if it has no vectors."""
    sums = np.zeros_like(centroids)
    for chunk, nearest in assigned:
        order = np.argsort(nearest, kind="stable")
        chosen, firsts = np.unique(nearest[order], return_index=True)
        sums[chosen] += np.add.reduceat(chunk[order], firsts)
    lengths = np.linalg.norm(sums, axis=1, keepdims=True)
    return np.where(lengths > 0, sums / np.maximum(lengths, _TINY), centroids)


def _kmeans(vectors: Vectors, centroids: int, **limits: int) -> Vectors:
    """Return (centroids, d) unit vectors."""
    limits |= {"niter": _ROUNDS, "min_points_per_centroid": 1}
    clustering = faiss.Kmeans(vectors.shape[1], centroids, spherical=True, **limits)
    clustering.train(vectors)
    return np.asarray(clustering.centroids)
