"""Which faiss index suits a catalogue of a given size."""

import math

import faiss

from vsearch_lib.errors import UsageError

FLAT_BELOW = 400  # vectors; too few to learn codebooks from
# Lists. The next smaller index has 4,000: comparing a query with each takes no longer than a graph, and misses none.
_GRAPH_FROM = 16_384
MIN_VECTORS_PER_CENTROID = 39  # with fewer, k-means warns that it has too little to learn from


def choose_factory(vectors: int, dimension: int) -> str:
    """Return the faiss factory string for `vectors` vectors.

    There are 4·√N lists below a million vectors, 16,384 below 10 M, 65,536 below 300 M, then 131,072; HNSW finds the
    nearest lists if there are too many to compare with each. PQ's codebooks are smaller if there is too little to train
    them on: 8-bit ones need about 10,000 vectors.
    """
    if vectors < FLAT_BELOW:
        return "IVF1,Flat"
    if vectors < 1_000_000:
        lists = min(round(4 * math.sqrt(vectors)), vectors // MIN_VECTORS_PER_CENTROID)
    elif vectors < 10_000_000:
        lists = 16_384
    elif vectors < 300_000_000:
        lists = 65_536
    else:
        lists = 131_072
    coarse = f"IVF{lists}_HNSW32" if lists >= _GRAPH_FROM else f"IVF{lists}"
    bits = next(bits for bits, enough in ((8, 10_000), (6, 64 * MIN_VECTORS_PER_CENTROID), (4, 0)) if vectors >= enough)
    subvectors = max(m for m in (32, 16, 8, 4, 2, 1) if dimension % m == 0)
    return f"{coarse},PQ{subvectors}{'' if bits == 8 else f'x{bits}'}np"


def untrained_index(factory: str, dimension: int) -> faiss.Index:
    """Return the untrained index that a factory string describes, by inner product.

    Raises:
        UsageError: faiss has no such index for vectors of that dimension.
    """
    try:
        return faiss.index_factory(dimension, factory, faiss.METRIC_INNER_PRODUCT)
    except RuntimeError:
        raise wrong_dimension(factory, dimension) from None


def wrong_dimension(factory: str, dimension: int) -> UsageError:
    """Return the error for a factory string whose number of parts does not divide the dimension."""
    return UsageError(
        f"index.factory = {factory}: faiss has no such index for {dimension} dimensions; give auto, or after PQ and "
        "OPQ a number that divides the dimensions, and at most 12 bits"
    )


def list_count(factory: str, dimension: int) -> int:
    """Return how many inverted lists an index of a factory string has; raises as `untrained_index` does."""
    return int(faiss.extract_index_ivf(untrained_index(factory, dimension)).nlist)
