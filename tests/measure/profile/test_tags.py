"""Balance and redundancy of tags, against hand-worked examples and other libraries."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import entropy

from vsearch_lib.measure.profile.tags import RedundantPair, balance, balance_figures, redundant_pairs


def values(tags_by_count: dict[int, int]) -> dict[str, float]:
    return {figure.metric: figure.value for figure in balance(tags_by_count)}


def test_equal_tags_are_as_many_as_they_are_and_uneven_ones_are_fewer():
    assert values({4: 2}) == pytest.approx({"tags_used": 2, "effective_tags": 2, "tag_gini": 0})
    # 1 and 3 images: exp(-(1/4 ln 1/4 + 3/4 ln 3/4)); a mean difference of 1 over twice the mean of 2.
    assert values({1: 1, 3: 1}) == pytest.approx(
        {"tags_used": 2, "effective_tags": 1.75477, "tag_gini": 0.25}, abs=1e-5
    )


def test_there_is_no_balance_without_tags():
    assert balance({}) == []


@settings(deadline=None)
@given(st.lists(st.integers(1, 1000), min_size=1, max_size=40))
def test_balance_is_scipys_entropy_and_the_mean_difference_of_all_pairs(counts):
    found = values({count: counts.count(count) for count in counts})
    assert found["effective_tags"] == pytest.approx(np.exp(entropy(counts)))
    differences = np.abs(np.subtract.outer(counts, counts)).mean()
    assert found["tag_gini"] == pytest.approx(differences / (2 * np.mean(counts)), abs=1e-9)


@pytest.fixture(scope="module")
def images(spark):
    """40 images: 12 mugs that are all cups, among 14 cups; 10 reds, half of them mugs; `new` is on most images."""
    rows = []
    for n in range(40):
        tags = ["new"] if n < 30 else []
        tags += ["mug", "mug"] if n < 12 else []
        tags += ["cup"] if n < 14 else []
        tags += ["red"] if 7 <= n < 17 else []
        tags += ["rare", "rarer"] if n < 3 else []
        rows.append((str(n), tags))
    return spark.createDataFrame(rows, "image_id string, tags array<string>")


def test_a_tag_that_always_goes_along_with_another_is_redundant(images):
    assert redundant_pairs(images) == [RedundantPair("mug", "cup", 12, 1.0, 12 / 14)]


def test_uses_of_tags_are_counted_once_an_image(images):
    found = {figure.metric: figure.value for figure in balance_figures(images)}
    assert found == pytest.approx(values({30: 1, 12: 1, 14: 1, 10: 1, 3: 2}))
