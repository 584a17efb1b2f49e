"""Ranking figures are those one works out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vsearch_lib.measure.offline.formulas import Measures
from vsearch_lib.measure.offline.ranking import RANKING_FIGURES, Values, exact_rankings, measured


def ranking_figures(judgements, rankings) -> dict[str, float]:
    values = measured(judgements, rankings, Measures()).only(RANKING_FIGURES)
    return {figure.metric: figure.value for figure in values.figures(subject="s", seed=1)}


def test_figures_of_one_query_by_hand():
    judgements = {"q": {"a": 5, "b": 3, "c": 1, "d": 0}}
    found = ranking_figures(judgements, {"q": ["c", "x", "a", "b"]})
    log2 = math.log2
    gained = 1 / log2(2) + 0 / log2(3) + 5 / log2(4) + 3 / log2(5)
    ideal = 5 / log2(2) + 3 / log2(3) + 1 / log2(4)
    assert found["ndcg_at_10"] == pytest.approx(gained / ideal)
    assert found["mrr"] == pytest.approx(1 / 3)  # a is the first with 3 or more
    assert found["map"] == pytest.approx((1 / 3 + 2 / 4) / 2)  # a third, b fourth, of two


def test_figures_are_means_over_queries_and_without_a_ranking_a_query_counts_zero():
    judgements = {"q": {"a": 5}, "r": {"b": 4}, "s": {"c": 5}, "t": {"d": 3}}
    found = ranking_figures(judgements, {"q": ["a"], "r": ["x", "b"], "s": []})
    assert found["mrr"] == pytest.approx((1 + 1 / 2 + 0 + 0) / 4)
    assert found["map"] == pytest.approx((1 + 1 / 2 + 0 + 0) / 4)
    assert found["ndcg_at_10"] == pytest.approx((1 + 1 / math.log2(3) + 0 + 0) / 4)


def test_a_relevant_image_that_is_not_found_lowers_average_precision():
    found = ranking_figures({"q": {"a": 5, "b": 5, "c": 5, "d": 5}}, {"q": ["a", "x", "b"]})
    assert found["map"] == pytest.approx((1 + 2 / 3) / 4)


def test_the_eleventh_answer_counts_for_all_figures_but_ndcg():
    others = [f"x{i}" for i in range(10)]
    found = ranking_figures({"q": {"a": 5}}, {"q": [*others, "a"]})
    assert found["ndcg_at_10"] == 0
    assert found["mrr"] == found["map"] == pytest.approx(1 / 11)


def test_a_score_below_three_is_a_gain_but_not_relevant():
    found = ranking_figures({"q": {"a": 2}}, {"q": ["a"]})
    assert found == {"ndcg_at_10": 1.0, "mrr": 0.0, "map": 0.0}


def test_a_ranking_of_a_query_that_nobody_judged_changes_nothing():
    judgements, rankings = {"q": {"a": 5}}, {"q": ["x", "a"]}
    assert ranking_figures(judgements, {**rankings, "other": ["a"]}) == ranking_figures(judgements, rankings)


images = st.sampled_from([f"i{n}" for n in range(15)])
judged = st.dictionaries(
    st.sampled_from(["q1", "q2", "q3"]), st.dictionaries(images, st.integers(0, 5), min_size=1), min_size=1
)


@settings(deadline=None, max_examples=60)
@given(judgements=judged, data=st.data())
def test_figures_are_between_zero_and_one(judgements, data):
    ranked = st.lists(images, unique=True)
    found = ranking_figures(judgements, {query: data.draw(ranked) for query in judgements})
    assert all(0 <= value <= 1 for value in found.values())


@settings(deadline=None, max_examples=60)
@given(judgements=judged)
def test_a_perfect_ranking_has_every_figure_at_its_best(judgements):
    judgements = {query: {**scores, "best": 5} for query, scores in judgements.items()}
    perfect = {query: sorted(scores, key=lambda i, s=scores: -s[i]) for query, scores in judgements.items()}
    found = ranking_figures(judgements, perfect)
    assert found == {name: pytest.approx(1) for name in ("ndcg_at_10", "mrr", "map")}


def test_figures_have_the_subject_the_slice_the_number_of_queries_and_an_interval():
    values = Values(["a", "b", "c", "d"], {"mrr": np.array([1.0, 0.5, 0.0, 1.0]), "map": np.ones(4)})
    mrr, map_ = values.figures(subject="published index", slice_="crop", seed=1)
    assert (mrr.metric, mrr.value, mrr.subject, mrr.slice, mrr.n) == ("mrr", 0.625, "published index", "crop", 4)
    assert mrr.low < 0.625 < mrr.high
    assert (map_.value, map_.low, map_.high) == (1, None, None)


def test_values_of_some_queries_are_in_the_order_asked_for():
    values = Values(["a", "b", "c"], {"mrr": np.array([1.0, 0.5, 0.25])})
    assert values.among(["c", "a"]).of_each["mrr"].tolist() == [0.25, 1.0]


def test_more_queries_than_fit_a_block_have_the_same_figures(monkeypatch):
    judgements = {f"q{n}": {f"i{n}": 5} for n in range(5)}
    rankings = {f"q{n}": [*(f"y{m}" for m in range(n)), f"i{n}"] for n in range(5)}
    monkeypatch.setattr("vsearch_lib.measure.offline.ranking._QUERIES_AT_ONCE", 2)
    found = measured(judgements, rankings, Measures())
    assert found.of_each["mrr"] == pytest.approx([1, 1 / 2, 1 / 3, 1 / 4, 1 / 5])


def test_exact_rankings_are_by_cosine_without_the_query():
    angles = {"north": 90, "north-east": 45, "east": 0, "west": 180, "south": 270}
    vectors = np.array([[math.cos(math.radians(a)), math.sin(math.radians(a))] for a in angles.values()])
    vectors[4] *= 0.999
    rankings = exact_rankings(["east", "north-east"], list(angles), vectors, depth=3)
    assert rankings["east"] == ["north-east", "north", "south"]
    assert rankings["north-east"][:2] == ["north", "east"] or rankings["north-east"][:2] == ["east", "north"]
    assert "north-east" not in rankings["north-east"]


@settings(deadline=None, max_examples=30)
@given(n=st.integers(1, 30), depth=st.integers(1, 40), seed=st.integers(0, 1000))
def test_a_ranking_has_every_other_image_once_down_to_its_depth(n, depth, seed):
    vectors = np.random.default_rng(seed).normal(size=(n, 4))
    ids = [f"i{i}" for i in range(n)]
    for query, ranked in exact_rankings(ids, ids, vectors, depth=depth).items():
        assert len(ranked) == len(set(ranked)) == min(depth, n - 1)
        assert query not in ranked
        scores = [float(vectors[int(i[1:])] @ vectors[int(query[1:])]) for i in ranked]
        assert scores == sorted(scores, reverse=True)


def test_of_copies_of_the_query_only_the_query_is_left_out():
    vectors = np.array([[1.0, 0], [1, 0], [1, 0], [0, 1]])
    assert exact_rankings(["c"], ["a", "b", "c", "d"], vectors, depth=2) == {"c": ["a", "b"]}
