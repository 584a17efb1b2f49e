"""Recall@10 and the latency of single queries, of anything that answers with row ids."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter
from typing import TypeAlias

import faiss
import numpy as np

from vsearch_lib.artefact.gate_report import Recall
from vsearch_lib.publishing.recall import recall, without_own
from vsearch_lib.vectors import RowIds, Vectors

DEPTH = 10  # of the recall that is measured
TURNS = 3  # how often each search is measured, all of them in turn
_WARM_UP = 10  # queries before the clock starts, because the first ones find cold caches

Ask: TypeAlias = Callable[[Vectors, int], RowIds]  # (n, d) and k to (n, k); best first, -1 after the last answer
VectorsOf: TypeAlias = Callable[[RowIds], Vectors]  # (m,) to (m, d), as exact search reads them
Progress: TypeAlias = Callable[[int, int], None]  # number done, and total


def no_progress(_done: int, _total: int) -> None:
    """Report no progress."""


@dataclass(frozen=True)
class Queries:
    """Rows of an index as queries for the rows that are nearest to them.

    Attributes:
        vectors: unit vectors, (n, d).
        own: the row id of each query, (n,): a query that finds itself does not count.
        truth: the nearest other rows, (n, k); k is `DEPTH`, or the number of other rows if that is smaller.
        vectors_of: returns the vectors (m, d) of row ids (m,), by which answers are judged.
    """

    vectors: Vectors
    own: RowIds
    truth: RowIds
    vectors_of: VectorsOf


@dataclass(frozen=True)
class Measured:
    """Recall@10 against exact search, and the milliseconds of a single query on one thread."""

    recall_at_10: Recall
    median_ms: float
    p95_ms: float


def sample_rows(rows: RowIds, count: int, seed: int) -> RowIds:
    """Return a seeded sample of `count` of `rows`, ascending; all rows if there are no more."""
    return np.sort(np.random.default_rng(seed).choice(rows, size=min(count, len(rows)), replace=False))


def queries_of(exact: Ask, vectors_of: VectorsOf, own: RowIds, *, among: int) -> Queries:
    """Return rows `own` (n,) as queries, with the answers of `exact`; at least 2 rows, `among`, can be answered."""
    vectors = vectors_of(own)
    depth = min(DEPTH, among - 1)
    return Queries(vectors, own, without_own(exact(vectors, depth + 1), own), vectors_of)


def measure(asks: Sequence[Ask], queries: Queries, *, progress: Progress = no_progress) -> list[Measured]:
    """Ask each of `asks` one query after the other, and return its recall and latency.

    All take turns, and the best time of a query counts, so that other work on the machine does not.
    """
    depth = queries.truth.shape[1]
    answers = np.empty((len(asks), len(queries.own), depth + 1), dtype=np.int64)
    best_ms = np.full((len(asks), len(queries.own)), np.inf)
    with _one_thread():
        for turn in range(TURNS):
            for i, ask in enumerate(asks):
                answers[i], ms = _time_queries(ask, queries.vectors, depth + 1)
                best_ms[i] = np.minimum(best_ms[i], ms)
                progress(turn * len(asks) + i + 1, TURNS * len(asks))
    recalls = [
        recall(without_own(ids, queries.own), queries.truth, queries.vectors, queries.vectors_of) for ids in answers
    ]
    percentiles = np.percentile(best_ms, [50, 95], axis=1).T
    return [Measured(r, float(median), float(p95)) for r, (median, p95) in zip(recalls, percentiles, strict=True)]


def _time_queries(ask: Ask, queries: Vectors, k: int) -> tuple[RowIds, Vectors]:
    """Return the answers (n, k) to the queries, and the milliseconds of each (n)."""
    answers = np.full((len(queries), k), -1, dtype=np.int64)
    ms = np.empty(len(queries), dtype=np.float32)
    for query in queries[:_WARM_UP]:
        ask(query[None], k)
    for i, query in enumerate(queries):
        start = perf_counter()
        ids = ask(query[None], k)
        ms[i] = 1000 * (perf_counter() - start)
        answers[i, : ids.shape[1]] = ids[0]
    return answers, ms


@contextmanager
def _one_thread() -> Iterator[None]:
    """Let faiss use only the calling thread: waking others takes longer than a query, far longer on a busy machine."""
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)
