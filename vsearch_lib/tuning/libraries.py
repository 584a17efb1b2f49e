"""Indexes of optional libraries, which `make tuning-libraries` installs: annoy, hnswlib, ScaNN.

They are imported by name when they are needed; no other module uses them.
"""

import tempfile
from importlib import import_module
from pathlib import Path

import numpy as np

from vsearch_lib.tuning.methods import Built
from vsearch_lib.vectors import RowIds, Vectors


def annoy(vectors: Vectors, *, trees: int) -> Built:
    """Return random-projection trees over `vectors`; the knob is search_k, the number of nodes visited."""
    index = import_module("annoy").AnnoyIndex(vectors.shape[1], "angular")  # unit vectors are ordered as by cosine
    for row, vector in enumerate(vectors):
        index.add_item(row, vector)
    index.build(trees, n_jobs=-1)
    with tempfile.TemporaryDirectory(prefix="vsearch-annoy-") as folder:
        index.save(f"{folder}/trees.ann")
        saved_bytes = _bytes_below(folder)

    def search(queries: Vectors, k: int, search_k: int) -> RowIds:
        return _padded([index.get_nns_by_vector(query, k, search_k=search_k) for query in queries], k)

    return Built(search, saved_bytes)


def hnswlib(vectors: Vectors, *, neighbours: int, effort: int) -> Built:
    """Return a graph over `vectors`; the knob is ef, the number of candidates kept during a search."""
    index = import_module("hnswlib").Index(space="ip", dim=vectors.shape[1])
    index.init_index(max_elements=len(vectors), M=neighbours, ef_construction=effort)
    index.add_items(vectors)

    def search(queries: Vectors, k: int, ef: int) -> RowIds:
        index.set_ef(max(ef, k))
        labels, _ = index.knn_query(queries, k=k, num_threads=1)
        return np.asarray(labels, dtype=np.int64)

    return Built(search, int(index.index_file_size()))


def scann(vectors: Vectors, *, leaves: int) -> Built:
    """Return a clustering with anisotropic codes over `vectors`, two dimensions in 4 bits.

    The knob is the number of leaves visited. Scores are those of the codes: the caller re-scores, as with other codes.
    """
    builder = import_module("scann").scann_ops_pybind.builder(vectors, 10, "dot_product")
    builder = builder.tree(num_leaves=leaves, num_leaves_to_search=1, training_sample_size=len(vectors))
    index = builder.score_ah(2, anisotropic_quantization_threshold=0.2).build()
    with tempfile.TemporaryDirectory(prefix="vsearch-scann-") as folder:
        index.serialize(folder)
        saved_bytes = _bytes_below(folder)

    def search(queries: Vectors, k: int, leaves_visited: int) -> RowIds:
        answers = [index.search(q, final_num_neighbors=k, leaves_to_search=leaves_visited)[0] for q in queries]
        return _padded(answers, k)

    return Built(search, saved_bytes)


def _padded(answers: list[list[int]], k: int) -> RowIds:
    ids = np.full((len(answers), k), -1, dtype=np.int64)
    for row, answer in zip(ids, answers, strict=True):
        row[: len(answer)] = answer
    return ids


def _bytes_below(folder: str) -> int:
    return sum(file.stat().st_size for file in Path(folder).iterdir())
