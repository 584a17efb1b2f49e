"""The centroids of many lists, by k-means in two levels."""

import hashlib
import math
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor

import faiss
import numpy as np

from vsearch_lib.vectors import RowIds, Vectors

# Groups are few: they are placed by so many vectors each, and the rest of the sample is assigned to them once.
_MAX_VECTORS_PER_GROUP = 2_000
# As faiss itself takes for lists; with the 25 of its plain k-means no answer was better.
_ROUNDS = 10
_CHUNK_ROWS = 16_384
_TINY = np.finfo(np.float32).tiny


def single_faiss_threads() -> ThreadPoolExecutor:
    """Return threads in each of which faiss works alone: a product or a sum that several share is rounded otherwise."""
    return ThreadPoolExecutor(faiss.omp_get_max_threads(), initializer=faiss.omp_set_num_threads, initargs=(1,))


def train_coarse(quantizer: faiss.Index, sample: Vectors, lists: int, threads: Executor) -> None:
    """Fill the empty `quantizer` with `lists` unit centroids of `sample` (n, d), by inner product.

    K-means of n vectors into K lists costs n·K·d a round. Here √K groups are found first, and each is clustered by
    itself into as many lists as its share of the vectors: about 2·n·√K·d a round. Groups cut through what lies on their
    borders, so that in a last round each vector goes to the nearest of all centroids, which `quantizer` finds.

    Equal vectors count once until the last round. Otherwise a placeholder that half a catalogue shows would get half of
    the lists: all at one place, one of them with every copy, and a query near them would visit the empty ones.

    In `single_faiss_threads` the centroids are the same however many there are.

    Raises:
        RuntimeError: of faiss, where there are more lists than vectors.
    """
    limit = _MAX_VECTORS_PER_GROUP
    different = _different(sample, at_least=lists)
    groups = threads.submit(_kmeans, different, math.isqrt(lists), max_points_per_centroid=limit).result()
    within = faiss.IndexFlatIP(sample.shape[1])
    within.add(groups)
    nearest = np.concatenate([found for _, found in _assigned(different, within, threads)])
    order = np.argsort(nearest, kind="stable")
    ends = np.cumsum(np.bincount(nearest))
    # Rounded so that they add up to all lists; a tiny group may get none.
    shares = np.diff(ends * lists // len(different), prepend=0)
    places = [place for place in zip([0, *ends[:-1]], ends, shares, strict=True) if place[2]]
    parts = threads.map(lambda place: _kmeans(different[order[place[0] : place[1]]], int(place[2])), places)
    centroids = np.concatenate(list(parts))
    threads.submit(quantizer.add, centroids).result()
    means = _means(_assigned(sample, quantizer, threads), centroids)
    quantizer.reset()
    threads.submit(quantizer.add, means).result()


def _different(vectors: Vectors, *, at_least: int) -> Vectors:
    """Return each different vector of (n, d) once, in order; equal ones too if fewer than `at_least` are different."""
    # Hashes take far less memory than sorting the vectors; two that collide cost one vector of the sample.
    hashes = [hashlib.blake2b(vector, digest_size=8).digest() for vector in vectors]
    _, firsts = np.unique(np.frombuffer(b"".join(hashes), dtype="<u8"), return_index=True)
    if len(firsts) == len(vectors):
        return vectors
    if len(firsts) < at_least:
        equal = np.setdiff1d(np.arange(len(vectors)), firsts)
        firsts = np.concatenate([firsts, equal[: at_least - len(firsts)]])
    chosen: Vectors = vectors[np.sort(firsts)]
    return chosen


def _assigned(sample: Vectors, quantizer: faiss.Index, threads: Executor) -> Iterator[tuple[Vectors, RowIds]]:
    """Return the sample in chunks, each with the numbers of its vectors' nearest centroids."""
    chunks = [sample[start : start + _CHUNK_ROWS] for start in range(0, len(sample), _CHUNK_ROWS)]
    found = threads.map(lambda chunk: quantizer.search(chunk, 1)[1][:, 0], chunks)
    return zip(chunks, found, strict=True)


def _means(assigned: Iterator[tuple[Vectors, RowIds]], centroids: Vectors) -> Vectors:
    """Return the unit means of what is assigned to each centroid; one that nothing is assigned to stays as it was."""
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
