"""Recall and latency are those of single queries, and a row that finds itself does not count."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from itertools import groupby

import faiss
import numpy as np
import pytest

from vsearch_lib.tuning.measurement import Ask, Queries, measure, queries_of, sample_rows

# Five rows on a line of falling cosine to row 0: 0, 1, 2, 3, 4.
ANGLES = np.deg2rad([0, 10, 20, 30, 40])
ROWS = np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=1).astype(np.float32)


def exact(queries: np.ndarray, k: int) -> np.ndarray:
    return np.argsort(-(queries @ ROWS.T), axis=1, kind="stable")[:, :k]


def test_the_truth_leaves_the_row_itself_out():
    queries = queries_of(exact, ROWS.__getitem__, np.array([0, 4]), among=5)
    assert queries.truth.tolist() == [[1, 2, 3, 4], [3, 2, 1, 0]]


def test_recall_is_the_share_of_other_rows_found_whether_or_not_the_row_finds_itself():
    queries = Queries(ROWS[:3], np.array([0, 1, 2]), np.array([[1, 2], [0, 2], [1, 3]]), ROWS.__getitem__)
    answers = {0: [0, 2, 1], 1: [2, 0, 4], 2: [4, 2, 1]}  # both; both, not itself; one of two
    (measured,) = measure([lambda query, k: np.array([answers[exact(query, 1)[0, 0]]])], queries)
    assert measured.recall_at_10.mean == pytest.approx((1 + 1 + 0.5) / 3)


def test_any_copies_of_the_true_neighbours_are_right_answers():
    """The query is row 0. Rows 1 to 4 are its copies: 2 of them are the truth, and the index returns the other 2."""
    copies = np.repeat(ROWS[:1], 5, axis=0)
    queries = Queries(copies[:1], np.array([0]), np.array([[1, 2]]), copies.__getitem__)
    others, with_itself, twice = measure(
        [lambda query, k, answer=answer: np.array([answer]) for answer in ([3, 4, 2], [0, 4, 3], [3, 3, 0])], queries
    )
    assert [m.recall_at_10.mean for m in (others, with_itself, twice)] == [1, 1, 0.5]


def test_rows_that_are_not_found_lower_the_recall():
    queries = queries_of(exact, ROWS.__getitem__, np.array([0, 4]), among=5)
    two_answers, none = measure([lambda query, k: exact(query, 2), lambda query, k: np.full((1, k), -1)], queries)
    assert two_answers.recall_at_10.mean == 0.25  # the row itself, and one of four others
    assert none.recall_at_10.mean == 0


def test_eleven_answers_are_asked_for_so_that_ten_remain_without_the_row_itself():
    asked = []
    rows = np.eye(20, dtype=np.float32)

    def ask(query: np.ndarray, k: int) -> np.ndarray:
        asked.append((query.shape, k))
        return np.argsort(-(query @ rows.T), axis=1, kind="stable")[:, :k]

    measure([ask], queries_of(ask, rows.__getitem__, np.arange(3), among=20))
    assert {k for _, k in asked} == {11}
    assert {shape for shape, _ in asked[1:]} == {(1, 20)}  # the truth in one call, then one query at a time


AXES = np.eye(20, dtype=np.float32)
ROWS_OF_20 = Queries(AXES, np.arange(20), np.zeros((20, 10), dtype=np.int64), AXES.__getitem__)


def asking(seconds: Callable[[int, int], float]) -> Ask:
    """Return a search that takes `seconds` of (call, row); calls are counted from 0 and include the warm-up."""
    calls = iter(range(1000))

    def ask(query: np.ndarray, k: int) -> np.ndarray:
        time.sleep(seconds(next(calls), int(query[0].argmax())))
        return np.arange(k)[None]

    return ask


@pytest.mark.parametrize(("slow", "p95_is_slow"), [((12,), False), ((12, 13), True)])
def test_latency_is_the_median_and_the_95th_percentile_of_queries(slow, p95_is_slow):
    """Of 20 queries, one or two always take 40 ms."""
    (measured,) = measure([asking(lambda call, row: 0.04 if row in slow else 0)], ROWS_OF_20)
    assert measured.median_ms < 10
    assert (measured.p95_ms >= 39) is p95_is_slow


def test_cold_caches_and_a_busy_machine_do_not_change_the_latency():
    """The first calls of all take 50 ms, and so does every call of the second turn."""
    cold, busy = range(5), range(30, 60)
    (measured,) = measure([asking(lambda call, row: 0.05 if call in cold or call in busy else 0)], ROWS_OF_20)
    assert measured.p95_ms < 40


def test_all_searches_take_turns_and_progress_is_reported_after_each():
    asked, reported = [], []

    def ask(name: str, query: np.ndarray, k: int) -> np.ndarray:
        asked.append(name)
        return np.arange(k)[None]

    measure([partial(ask, "a"), partial(ask, "b")], ROWS_OF_20, progress=lambda *counts: reported.append(counts))
    assert [name for name, _ in groupby(asked)] == ["a", "b", "a", "b", "a", "b"]
    assert reported == [(done, 6) for done in range(1, 7)]


def test_queries_run_on_one_thread_and_afterwards_faiss_has_all_threads_again():
    threads, before = [], faiss.omp_get_max_threads()

    def ask(query: np.ndarray, k: int) -> np.ndarray:
        threads.append(faiss.omp_get_max_threads())
        if len(threads) == 15:
            raise RuntimeError("interrupted")
        return np.arange(k)[None]

    with pytest.raises(RuntimeError, match="interrupted"):
        measure([ask], ROWS_OF_20)
    assert set(threads) == {1}
    assert faiss.omp_get_max_threads() == before


def test_a_seed_samples_the_same_rows_each_once_and_in_order():
    rows = np.arange(100, 200)
    sample = sample_rows(rows, 30, 17)
    assert len(set(sample.tolist())) == 30
    assert set(sample.tolist()) <= set(rows.tolist())
    assert (np.diff(sample) > 0).all()
    np.testing.assert_array_equal(sample, sample_rows(rows, 30, 17))
    assert not np.array_equal(sample, sample_rows(rows, 30, 18))


def test_a_sample_of_fewer_rows_than_wanted_is_all_of_them():
    np.testing.assert_array_equal(sample_rows(np.array([5, 9, 2]), 30, 17), [2, 5, 9])
