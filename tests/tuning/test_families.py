"""Every family finds the neighbours at its widest setting, and its bytes are those of its file."""

from __future__ import annotations

import faiss
import numpy as np
import pytest

from vsearch_lib.index.factory import choose_factory
from vsearch_lib.tuning.families import families, sampled_queries
from vsearch_lib.tuning.methods import run_trials

ROWS, DIMENSION = 640, 16
METHODS = families(ROWS, DIMENSION)


@pytest.fixture(scope="module")
def vectors(small_index):
    return small_index.clustered_vectors(ROWS, DIMENSION, seed=5)


@pytest.fixture(scope="module")
def queries(vectors):
    return sampled_queries(vectors, count=40, seed=17)


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_an_installed_method_finds_nearly_all_neighbours_at_its_widest_setting(method, vectors, queries):
    if not method.installed:
        pytest.skip(f"{method.library} is not installed: make tuning-libraries")
    trials = run_trials(method, vectors, queries)
    recalls = [trial.measured.recall_at_10.mean for trial in trials if trial.rescored is method.compressed]
    assert recalls[-1] > 0.9
    assert recalls[-1] >= recalls[0]
    if method.family == "exact":
        assert recalls == [1]


def test_all_families_are_compared_and_all_but_the_exactly_scored_methods_are_compressed():
    assert {method.family for method in METHODS} == {"exact", "LSH", "tree", "graph", "clustering"}
    assert {method.library for method in METHODS} == {None, "annoy", "hnswlib", "scann"}
    exactly_scored = {"Flat", "annoy, 50 trees", "HNSW32,Flat", "hnswlib, M 32", "IVF16,Flat"}
    assert {method.name for method in METHODS if not method.compressed} == exactly_scored


@pytest.mark.parametrize(("rows", "dimension"), [(400, 16), (5_000, 64), (100_000, 128), (50_000, 1280)])
def test_the_factory_that_auto_chooses_is_among_the_methods_and_faiss_accepts_them_all(rows, dimension):
    clustering = [m for m in families(rows, dimension) if m.family == "clustering" and m.library is None]
    assert choose_factory(rows, dimension) in {method.name for method in clustering}
    for method in clustering:
        index = faiss.index_factory(dimension, method.name, faiss.METRIC_INNER_PRODUCT)
        assert max(method.settings) <= faiss.extract_index_ivf(index).nlist


def test_a_rotation_is_compared_if_there_are_enough_vectors_to_learn_it():
    def rotated(rows: int, dimension: int) -> list[str]:
        return [method.name for method in families(rows, dimension) if method.name.startswith("OPQ")]

    assert rotated(9_999, 128) == []
    assert rotated(10_000, 128) == ["OPQ32_128,IVF256,PQ32np"]
    assert rotated(10_000, 1280) == ["OPQ32_128,IVF256,PQ32np"]  # with so many dimensions it also reduces them
    assert rotated(10_000, 64) == ["OPQ32_64,IVF256,PQ32np"]


@pytest.mark.parametrize("name", ["Flat", "LSH, 32 bits", "HNSW32,Flat", "IVF16,SQ8", "IVF16,PQ16x4np"])
def test_the_bytes_of_an_index_are_those_of_the_file_that_faiss_writes(name, vectors, tmp_path):
    index = {
        "Flat": lambda: faiss.IndexFlatIP(DIMENSION),
        "LSH, 32 bits": lambda: faiss.IndexLSH(DIMENSION, 32),
        "HNSW32,Flat": lambda: faiss.IndexHNSWFlat(DIMENSION, 32, faiss.METRIC_INNER_PRODUCT),
    }.get(name, lambda: faiss.index_factory(DIMENSION, name, faiss.METRIC_INNER_PRODUCT))()
    index.train(vectors)
    index.add(vectors)
    faiss.write_index(index, str(tmp_path / "index"))
    method = next(method for method in METHODS if method.name == name)
    written = (tmp_path / "index").stat().st_size
    assert method.build(vectors).bytes == pytest.approx(written, rel=0.02)  # graphs differ by their random levels


def test_each_kind_of_code_has_its_expected_bytes(vectors):
    built = {method.name: method.build(vectors).bytes / ROWS for method in METHODS if method.library is None}
    ids, centroids = 8, 16 * DIMENSION * 4 / ROWS
    assert built["Flat"] == pytest.approx(4 * DIMENSION, abs=1)
    assert built["IVF16,SQ8"] == pytest.approx(DIMENSION + ids + centroids, abs=2)
    assert built["LSH, 128 bits"] > built["LSH, 64 bits"] > built["LSH, 32 bits"] > 4
    assert built["HNSW32,Flat"] > 4 * DIMENSION + 64 * 4  # 64 links of the lowest layer


def test_with_few_vectors_all_others_are_the_true_neighbours():
    angles = np.deg2rad([0, 10, 30])
    three = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    assert sampled_queries(three, count=9, seed=1).truth.tolist() == [[1, 2], [0, 2], [1, 0]]
