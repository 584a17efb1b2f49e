"""Ranking figures are those of worked examples and of ir-measures."""

from __future__ import annotations

import ir_measures
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.reference_measures import named_measures
from vsearch_lib.measure.offline.formulas import UNJUDGED, Measures, dcg, values_of
from vsearch_lib.measure.offline.ranking import as_matrix, measured

EVERYTHING = Measures((1, 3, 10), exponential_gain=True, judged_only=True)


def test_reciprocal_ranks_of_a_third_one_a_third_and_none_have_the_mean_417():
    grades = np.array([[0, 0, 5], [5, 0, 0], [0, 0, 5], [0, 0, 0]])
    judged = np.full((4, 1), 5)
    found = values_of(grades, judged, Measures())["mrr"]
    assert found == pytest.approx([1 / 3, 1, 1 / 3, 0])
    assert found.mean() == pytest.approx(0.417, abs=5e-4)


def test_relevances_0_5_1_4_2_have_dcg_6151_ideal_8954_and_ndcg_687():
    grades = np.array([[0, 5, 1, 4, 2]])
    assert dcg(grades)[0, -1] == pytest.approx(6.151, abs=5e-4)
    assert dcg(-np.sort(-grades))[0, -1] == pytest.approx(8.954, abs=5e-4)
    assert values_of(grades, grades, Measures((5,)))["ndcg_at_5"] == pytest.approx(0.687, abs=5e-4)


def test_average_precisions_33_75_41_and_none_have_the_mean_37():
    # Relevant images at rank 3; at 1 and 4; at 3 and 4; nowhere.
    grades = np.array([[0, 0, 5, 0], [5, 0, 0, 5], [0, 0, 5, 5], [0, 0, 0, 0]])
    judged = np.array([[5, 0], [5, 5], [5, 5], [5, 0]])
    found = values_of(grades, judged, Measures())["map"]
    assert found == pytest.approx([1 / 3, (1 + 2 / 4) / 2, (1 / 3 + 2 / 4) / 2, 0])
    assert found == pytest.approx([0.33, 0.75, 0.41, 0], abs=0.007)
    assert found.mean() == pytest.approx(0.37, abs=0.006)


def test_exponential_gains_are_two_to_the_grade_minus_one():
    assert dcg(np.array([[3, 0, 2]]), exponential=True)[0] == pytest.approx([7, 7, 7 + 3 / 2])


def test_precision_divides_by_k_recall_by_the_relevant_images_and_a_hit_counts_once():
    grades, judged = np.array([[5, 0, 3]]), np.array([[5, 3, 4, 2, 5]])
    found = values_of(grades, judged, Measures((1, 10)))
    assert (found["precision_at_1"][0], found["precision_at_10"][0]) == (1, 0.2)
    assert (found["judged_recall_at_1"][0], found["judged_recall_at_10"][0]) == (1 / 4, 2 / 4)
    assert (found["hit_rate_at_1"][0], found["hit_rate_at_10"][0]) == (1, 1)


def test_answers_that_nobody_judged_are_not_relevant_or_left_out():
    grades, judged = np.array([[UNJUDGED, 0, UNJUDGED, 5]]), np.array([[5, 0]])
    found = values_of(grades, judged, Measures((1,), judged_only=True))
    assert (found["mrr"][0], found["mrr_judged_only"][0]) == (1 / 4, 1 / 2)


def test_a_query_without_answers_or_without_relevant_images_counts_zero():
    nothing = values_of(np.empty((1, 0), np.int64), np.array([[5]]), EVERYTHING)
    unwanted = values_of(np.array([[0, 0]]), np.array([[0, 0]]), EVERYTHING)
    assert {float(of[0]) for of in (*nothing.values(), *unwanted.values())} == {0.0}


@st.composite
def worlds(draw):
    images = [f"i{n}" for n in range(12)]
    graded = st.dictionaries(st.sampled_from(images), st.integers(0, 5), min_size=1)
    judgements = draw(st.dictionaries(st.sampled_from(["q1", "q2", "q3"]), graded, min_size=1))
    return judgements, {query: draw(st.lists(st.sampled_from(images), unique=True)) for query in judgements}


@settings(deadline=None, max_examples=80)
@given(world=worlds())
def test_every_figure_of_every_query_is_that_of_ir_measures(world):
    judgements, rankings = world
    ours = measured(judgements, rankings, EVERYTHING)
    groups = named_measures(EVERYTHING.depths)
    assert {name for group in groups for name in group} == set(ours.of_each) == set(EVERYTHING.names)
    run = {q: {image: float(-rank) for rank, image in enumerate(ranked)} for q, ranked in rankings.items()}
    for group in groups:
        theirs = {
            (one.query_id, one.measure): one.value for one in ir_measures.iter_calc(group.values(), judgements, run)
        }
        for name, measure in group.items():
            expected = [theirs.get((query, measure), 0.0) for query in ours.queries]
            assert ours.of_each[name] == pytest.approx(expected, abs=1e-6), name


def test_rows_of_different_lengths_are_filled_up():
    assert as_matrix([[1], [], [2, 3]], -1).tolist() == [[1, -1], [-1, -1], [2, 3]]
    assert as_matrix([], 0).shape == (0, 0)
