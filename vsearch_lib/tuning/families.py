"""The families of indexes: exact, LSH, tree, graph, clustering, with settings that suit the number of vectors."""

from collections.abc import Sequence
from functools import partial

import faiss
import numpy as np

from vsearch_lib.index.factory import MIN_VECTORS_PER_CENTROID, choose_factory, list_count
from vsearch_lib.index.template import train_template
from vsearch_lib.tuning import libraries
from vsearch_lib.tuning.measurement import Queries, queries_of, sample_rows
from vsearch_lib.tuning.methods import Built, Method
from vsearch_lib.vectors import RowIds, Vectors

GRAPH_NEIGHBOURS = 32
GRAPH_EFFORT = 100  # candidates compared for the neighbours of each vector while a graph is built
TREES = 50
_PROBES = (1, 4, 16, 64, 256)
_EF_SEARCH = (16, 32, 64, 128, 256)
_SEARCH_K = (500, 2_000, 8_000, 32_000)
_ROTATED_PER_SUBVECTOR = 4  # dimensions of each subvector after OPQ's rotation, at most


def families(rows: int, dimension: int) -> list[Method]:
    """Return every method, installed or not, for `rows` vectors (at least `FLAT_BELOW`) of an even dimension.

    Lists and codes are those that `index.factory: auto` chooses, so that its choice is among the methods.
    """
    coarse, codes = choose_factory(rows, dimension).split(",")
    lists = list_count(f"{coarse},Flat", dimension)
    probes = [nprobe for nprobe in _PROBES if nprobe <= lists]
    clustering = [
        Method("clustering", factory, partial(_ivf, factory), "nprobe", probes, compressed)
        for factory, compressed in _factories(coarse, codes, rows, dimension)
    ]
    leaves = partial(libraries.scann, leaves=lists)
    return [
        Method("exact", "Flat", _flat),
        *(Method("LSH", f"LSH, {bits} bits", partial(_lsh, bits), compressed=True) for bits in _bits(dimension)),
        Method("tree", f"annoy, {TREES} trees", _annoy, "search_k", _SEARCH_K, library="annoy"),
        Method("graph", f"HNSW{GRAPH_NEIGHBOURS},Flat", _hnsw, "efSearch", _EF_SEARCH),
        Method("graph", f"hnswlib, M {GRAPH_NEIGHBOURS}", _hnswlib, "ef", _EF_SEARCH, library="hnswlib"),
        *clustering,
        Method("clustering", f"ScaNN, {lists} leaves", leaves, "leaves", probes, compressed=True, library="scann"),
    ]


def sampled_queries(vectors: Vectors, *, count: int, seed: int) -> Queries:
    """Return `count` seeded rows of `vectors` (n, d) as queries, with the answers of exact search."""
    exact = _flat(vectors).search
    own = sample_rows(np.arange(len(vectors)), count, seed)
    return queries_of(lambda queries, k: exact(queries, k, 0), vectors.__getitem__, own, among=len(vectors))


def _bits(dimension: int) -> Sequence[int]:
    return [2 * dimension, 4 * dimension, 8 * dimension]


def _factories(coarse: str, codes: str, rows: int, dimension: int) -> list[tuple[str, bool]]:
    """Return factory strings of IVF indexes, and whether they store compressed vectors."""
    compressed = [f"{coarse},SQ8", f"{coarse},{codes}"]
    if rows >= 16 * MIN_VECTORS_PER_CENTROID:
        compressed.append(f"{coarse},PQ{dimension // 2}x4fs")
    # Smaller codebooks mean that there is too little to learn a rotation from.
    if "x" not in codes:
        subvectors = int(codes.removeprefix("PQ").removesuffix("np"))
        rotated = min(dimension, _ROTATED_PER_SUBVECTOR * subvectors)
        compressed.append(f"OPQ{subvectors}_{rotated},{coarse},{codes}")
    # RaBitQ's bounds hold for vectors that were rotated at random.
    compressed += [f"RR,{coarse},RaBitQ", f"RR,{coarse},RaBitQ4"]
    return [(f"{coarse},Flat", False), *((factory, True) for factory in compressed)]


def _flat(vectors: Vectors) -> Built:
    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(vectors)
    return Built(lambda queries, k, _: _search(index, queries, k), _saved_bytes(index))


def _lsh(bits: int, vectors: Vectors) -> Built:
    index = faiss.IndexLSH(vectors.shape[1], bits)
    index.add(vectors)
    return Built(lambda queries, k, _: _search(index, queries, k), _saved_bytes(index))


def _hnsw(vectors: Vectors) -> Built:
    index = faiss.IndexHNSWFlat(vectors.shape[1], GRAPH_NEIGHBOURS, faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efConstruction = GRAPH_EFFORT
    index.add(vectors)

    def search(queries: Vectors, k: int, ef_search: int) -> RowIds:
        return _search(index, queries, k, faiss.SearchParametersHNSW(efSearch=ef_search))

    return Built(search, _saved_bytes(index))


def _ivf(factory: str, vectors: Vectors) -> Built:
    index = faiss.deserialize_index(np.frombuffer(train_template(vectors, factory), dtype=np.uint8))
    index.add(vectors)
    rotated = isinstance(index, faiss.IndexPreTransform)

    def search(queries: Vectors, k: int, nprobe: int) -> RowIds:
        parameters = faiss.SearchParametersIVF(nprobe=nprobe)
        if rotated:
            parameters = faiss.SearchParametersPreTransform(index_params=parameters)
        return _search(index, queries, k, parameters)

    return Built(search, _saved_bytes(index))


def _annoy(vectors: Vectors) -> Built:
    return libraries.annoy(vectors, trees=TREES)


def _hnswlib(vectors: Vectors) -> Built:
    return libraries.hnswlib(vectors, neighbours=GRAPH_NEIGHBOURS, effort=GRAPH_EFFORT)


def _search(index: faiss.Index, queries: Vectors, k: int, parameters: faiss.SearchParameters | None = None) -> RowIds:
    ids: RowIds = index.search(queries, k, params=parameters)[1]
    return ids


def _saved_bytes(index: faiss.Index) -> int:
    """Return the size of the index as a file, without writing the file."""
    written = 0

    def count(content: bytes) -> int:
        nonlocal written
        written += len(content)
        return len(content)

    faiss.write_index(index, faiss.PyCallbackIOWriter(count))
    return written
