"""A method is measured at each of its settings; one that stores codes is also measured with re-scoring."""

from __future__ import annotations

import time

import numpy as np
import pytest

from vsearch_lib.tuning.families import sampled_queries
from vsearch_lib.tuning.methods import SHORTLIST, Built, Method, run_trials


@pytest.fixture(scope="module")
def vectors(small_index):
    return small_index.clustered_vectors(600, 16, seed=5)


@pytest.fixture(scope="module")
def queries(vectors):
    return sampled_queries(vectors, count=30, seed=17)


def signs(vectors: np.ndarray, *, seconds: float = 0.0) -> Built:
    """Rank rows by the number of equal signs, ties by row id; the setting is the number of rows compared."""
    time.sleep(seconds)

    def search(query: np.ndarray, k: int, rows: int) -> np.ndarray:
        agreeing = (np.sign(vectors[:rows]) == np.sign(query)).sum(axis=1)
        found = np.argsort(-agreeing, kind="stable")[:k]
        return np.pad(found, (0, k - len(found)), constant_values=-1)[None]

    return Built(search, bytes=600 * 2 + 600)


def test_queries_are_rows_of_the_sample_and_their_truth_is_that_of_brute_force(vectors, queries):
    np.testing.assert_array_equal(queries.vectors, vectors[queries.own])
    cosines = vectors[queries.own] @ vectors.T
    cosines[np.arange(30), queries.own] = -np.inf
    np.testing.assert_array_equal(queries.truth, np.argsort(-cosines, axis=1, kind="stable")[:, :10])


def test_each_setting_has_the_recall_of_its_answers(vectors, queries):
    method = Method("LSH", "signs", signs, "rows", (100, 600))
    few, many = run_trials(method, vectors, queries)
    assert [(trial.setting, trial.rescored, trial.label) for trial in (few, many)] == [
        (100, False, "rows 100"),
        (600, False, "rows 600"),
    ]
    built = signs(vectors)
    for trial in (few, many):
        shares = []
        for query, own, truth in zip(queries.vectors, queries.own, queries.truth, strict=True):
            answers = [row for row in built.search(query[None], 11, trial.setting)[0] if row != own][:10]
            shares.append(len(set(answers) & set(truth.tolist())) / 10)
        assert trial.measured.recall_at_10.mean == pytest.approx(np.mean(shares))


def test_rescoring_ranks_the_shortlist_by_the_vectors(vectors, queries):
    raw, rescored = run_trials(Method("LSH", "signs", signs, compressed=True, settings=(600,)), vectors, queries)
    assert (raw.rescored, rescored.rescored) == (False, True)
    assert (raw.label, rescored.label) == ("", "re-scored")
    shares = []
    for query, own, truth in zip(queries.vectors, queries.own, queries.truth, strict=True):
        shortlist = signs(vectors).search(query[None], SHORTLIST, 600)[0]
        best = sorted((row for row in shortlist if row != own), key=lambda row: -float(vectors[row] @ query))[:10]
        shares.append(len(set(best) & set(truth.tolist())) / 10)
    assert rescored.measured.recall_at_10.mean == pytest.approx(np.mean(shares))
    assert rescored.measured.recall_at_10.mean > raw.measured.recall_at_10.mean


def test_rescoring_fewer_rows_than_the_shortlist_returns_all_of_them(vectors, queries):
    _, rescored = run_trials(Method("LSH", "signs", signs, compressed=True, settings=(5,)), vectors, queries)
    assert 0 < rescored.measured.recall_at_10.mean <= 0.5


def test_bytes_are_those_of_the_index_and_of_the_vectors_that_rescoring_reads(vectors, queries):
    raw, rescored = run_trials(Method("LSH", "signs", signs, compressed=True, settings=(600,)), vectors, queries)
    assert (raw.index_bytes, raw.stored_bytes) == (3, 0)
    assert (rescored.index_bytes, rescored.stored_bytes) == (3, 32)  # 16 float16


def test_an_index_is_built_and_timed_once_for_all_settings(vectors, queries):
    made = []

    def build(rows: np.ndarray) -> Built:
        made.append(len(rows))
        return signs(rows, seconds=0.05)

    trials = run_trials(Method("LSH", "signs", build, "rows", (100, 200, 600), compressed=True), vectors, queries)
    assert made == [600]
    assert len(trials) == 6
    assert all(0.05 <= trial.build_seconds < 5 for trial in trials)


def test_a_method_is_installed_if_its_library_can_be_imported():
    assert Method("exact", "ours", signs).installed
    assert Method("exact", "json", signs, library="json").installed
    assert not Method("exact", "none", signs, library="no_such_library_at_all").installed
