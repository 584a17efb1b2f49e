"""F1 of the labels of the nearest picture is that of scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from vsearch_lib.measure.offline.labels import label_figures

NAMES = ["a", "b", "c"]
labels = st.frozensets(st.sampled_from(NAMES), max_size=3)


@settings(deadline=None, max_examples=40)
@given(pairs=st.lists(st.tuples(labels, labels), min_size=1, max_size=12))
def test_f1_of_each_label_and_their_mean_are_those_of_scikit_learn(pairs):
    truth, predicted = map(list, zip(*pairs, strict=True))
    found = label_figures(truth, predicted, subject="s", min_queries=1, seed=1)
    named = sorted(set().union(*truth))
    if not named:
        assert found == []
        return
    matrices = [np.array([[name in of for name in named] for of in each]) for each in (truth, predicted)]
    expected = [f1_score(*columns, zero_division=0) for columns in zip(*(m.T for m in matrices), strict=True)]
    value = {figure.slice: figure.value for figure in found}
    assert value == {
        "all": pytest.approx(float(np.mean(expected))),
        **{f"tag: {name}": pytest.approx(float(of)) for name, of in zip(named, expected, strict=True)},
    }


def test_labels_of_few_queries_are_left_out_and_the_worst_label_comes_first():
    truth = [frozenset("a"), frozenset("a"), frozenset("b"), frozenset("b"), frozenset("c")]
    predicted = [frozenset("a"), frozenset("a"), frozenset("b"), frozenset("a"), frozenset("c")]
    macro, worst, best = label_figures(truth, predicted, subject="s", min_queries=2, seed=1)
    assert (macro.metric, macro.n) == ("label_macro_f1", 5)
    assert (worst.slice, worst.value, worst.n) == ("tag: b", pytest.approx(2 / 3), 2)
    assert (best.slice, best.value) == ("tag: a", pytest.approx(4 / 5))
    assert macro.value == pytest.approx((2 / 3 + 4 / 5) / 2)
    assert macro.low < macro.value < macro.high


def test_without_labels_there_is_no_figure():
    assert label_figures([], [], subject="s", min_queries=1, seed=1) == []
