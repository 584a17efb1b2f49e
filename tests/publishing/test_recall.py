"""Recall is the share of answers that are as good as the true ones, whatever their ids."""

from __future__ import annotations

import math
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vsearch_lib.config import PROJECT
from vsearch_lib.figures import Figure
from vsearch_lib.publishing.recall import Recall, recall, recall_figure, score_tolerance, without_own

# Ten rows on a line of falling cosine to row 0, 5 degrees apart: 0, 1, 2, ... 9.
ANGLES = np.deg2rad(5 * np.arange(10))
LINE = np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=1).astype(np.float32)


def on_the_line(found: list[list[int]], truth: list[list[int]]) -> Recall:
    """Return the recall of queries that are all row 0."""
    return recall(np.array(found), np.array(truth), np.repeat(LINE[:1], len(found), axis=0), LINE.__getitem__)


def test_recall_is_the_mean_share_of_the_true_answers_found():
    truth = [[0, 1, 2, 3]] * 3
    measured = on_the_line([[3, 2, 1, 0], [0, 1, 9, -1], [-1, -1, -1, -1]], truth)  # shares 1, 1/2, 0
    assert measured.mean == pytest.approx(0.5)
    # Deviation of 1, .5, 0 with n - 1: .5; 1.96 · .5 / √3
    assert measured.half_width_95 == pytest.approx(1.959964 * 0.5 / math.sqrt(3))


def test_with_one_true_answer_a_query_the_interval_is_that_of_a_proportion():
    measured = on_the_line([[0]] * 180 + [[-1]] * 20, [[0]] * 200)
    assert measured.mean == pytest.approx(0.9)
    assert measured.half_width_95 == pytest.approx(1.959964 * math.sqrt(0.9 * 0.1 / 199))


def test_one_query_has_no_interval():
    assert on_the_line([[0]], [[0]]) == Recall(1.0, 0.0)


def test_the_interval_of_a_recall_figure_ends_at_0_and_1():
    one = recall_figure(Recall(0.75, 0.125), "recall_at_10", subject="index v1", stratum="new", n=40)
    assert one == Figure("recall_at_10", 0.75, subject="index v1", slice="new", n=40, low=0.625, high=0.875)
    edges = [recall_figure(Recall(mean, 0.125), "m", subject="s", stratum="t", n=2) for mean in (0.0, 1.0)]
    assert [(edge.low, edge.high) for edge in edges] == [(0, 0.125), (0.875, 1)]


def test_a_row_that_is_returned_twice_counts_once():
    assert on_the_line([[0, 0, 0, 1]], [[0, 1, 2, 3]]).mean == 0.5


def test_only_the_first_answers_count_as_many_as_are_true():
    assert on_the_line([[8, 9, 0, 1]], [[0, 1]]).mean == 0
    assert on_the_line([[8, 9, 0, 1]], [[0, 1, -1, -1]]).mean == 0
    assert on_the_line([[0, -1, -1]], [[0, -1, -1]]).mean == 1


def test_a_copy_of_a_true_answer_is_right_and_the_next_best_row_is_wrong():
    rows = np.concatenate([LINE[:3], LINE[2:3], LINE[3:]])  # rows 2 and 3 are the same picture
    truth, query = np.array([[0, 1, 2]]), LINE[:1]
    assert recall(np.array([[0, 1, 3]]), truth, query, rows.__getitem__).mean == 1
    assert recall(np.array([[0, 1, 4]]), truth, query, rows.__getitem__).mean == pytest.approx(2 / 3)


def test_an_answer_as_good_as_the_last_true_one_is_right_if_a_better_one_is_missing():
    """The truth is one picture and two of three placeholders. The index returns the three placeholders."""
    rows = np.concatenate([LINE[:1], np.repeat(LINE[5:6], 3, axis=0)])
    truth = np.array([[0, 1, 2]])
    assert recall(np.array([[1, 2, 3]]), truth, LINE[:1], rows.__getitem__).mean == 1
    assert recall(np.array([[1, 2, -1]]), truth, LINE[:1], rows.__getitem__).mean == pytest.approx(2 / 3)


@settings(deadline=None, max_examples=60)
@given(
    seed=st.integers(0, 2**32 - 1),
    different=st.integers(1, 12),
    copies=st.integers(1, 12),
    dimension=st.sampled_from([2, 16, 129]),
    k=st.integers(1, 15),
)
def test_any_exact_answer_has_recall_one_and_exchanging_tied_rows_changes_no_recall(
    seed, different, copies, dimension, k
):
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(different, dimension))
    points = (points / np.linalg.norm(points, axis=1, keepdims=True)).astype(np.float32)
    picture = rng.permutation(np.repeat(np.arange(different), copies))  # of each row
    rows, queries = points[picture], points[rng.integers(different, size=4)]
    k = min(k, len(rows))
    shuffled = rng.permuted(np.tile(np.arange(len(rows)), (4, 1)), axis=1)

    def ranked(scores: np.ndarray) -> np.ndarray:
        """Return the rows of the k best scores, tied rows in a random order."""
        order = np.argsort(-np.take_along_axis(scores, shuffled, 1), axis=1, kind="stable")
        return np.take_along_axis(shuffled, order, 1)[:, :k]

    truth = np.argsort(-(queries @ rows.T), axis=1, kind="stable")[:, :k]
    assert recall(ranked(queries @ rows.T), truth, queries, rows.__getitem__).mean == 1
    # The same sums in another order are rounded differently.
    turned = rng.permutation(dimension)
    backwards = np.ascontiguousarray(queries[:, turned]) @ np.ascontiguousarray(rows[:, turned]).T
    assert recall(ranked(backwards), truth, queries, rows.__getitem__).mean == 1
    # Any answer, and the same answer with each row exchanged for a row that shows the same picture.
    some = shuffled[:, :k]
    exchange = np.empty(len(rows), dtype=np.int64)
    for shown in range(different):
        alike = np.flatnonzero(picture == shown)
        exchange[alike] = rng.permutation(alike)
    before, after = (recall(found, truth, queries, rows.__getitem__).mean for found in (some, exchange[some]))
    assert before == after


@pytest.mark.parametrize("dimension", [2, 16, 128, 256, 1280])
def test_the_tolerance_is_above_float32_rounding_and_below_half_precision_rounding(dimension):
    rng = np.random.default_rng(dimension)
    rows = rng.normal(size=(2_000, dimension))
    rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    # Cosines near 1 have the largest partial sums, and so the largest rounding errors.
    near = (rows[:200] + 0.01 * rng.normal(size=(200, dimension)).astype(np.float32)).astype(np.float32)
    near /= np.linalg.norm(near, axis=1, keepdims=True)
    single, double = near @ rows.T, near.astype(np.float64) @ rows.T
    one_after_the_other = np.array([np.cumsum(q * r, dtype=np.float32)[-1] for q, r in zip(near, rows, strict=False)])
    half = score_tolerance(dimension) / 2
    assert np.abs(single - double).max() < half
    assert np.abs(one_after_the_other - np.diagonal(double)).max() < half
    halved = near.astype(np.float64) @ rows.astype(np.float16).astype(np.float64).T
    assert np.abs(halved - double).max() > half


def test_a_row_is_removed_from_its_own_answers_else_the_last_answer_is():
    ids, own = np.array([[4, 7, 9], [1, 2, 3], [5, -1, -1]]), np.array([7, 8, 5])
    assert without_own(ids, own).tolist() == [[4, 9], [1, 2], [-1, -1]]


def test_recall_needs_only_numpy():
    """Benchmarks of other libraries use it in environments that lack the project's packages."""
    code = "import sys, vsearch_lib.publishing.recall; sys.exit(bool({'faiss', 'cv2', 'pyarrow'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], cwd=PROJECT).returncode == 0
