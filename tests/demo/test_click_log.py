"""A log as arrays has the pages and the clicks of the catalogue, and states the relevance of each impression."""

from __future__ import annotations

import numpy as np
import pytest

from vsearch_lib.demo.click_log import IMAGES, counts_of, draw_click_log
from vsearch_lib.demo.clicks import click_probability


def test_a_log_has_whole_pages_of_the_stated_queries():
    log = draw_click_log(np.random.default_rng(1), impressions=5000, queries=30)
    assert len(log) == 5000
    assert len(np.unique(log.query)) == 30
    for request in range(0, 500, 50):
        rows = log.request == request
        assert log.position[rows].tolist() == list(range(1, 11))
        assert len(np.unique(log.image[rows])) == 10
        assert len(np.unique(log.query[rows])) == len(np.unique(log.version[rows])) == 1


def test_the_same_seed_gives_the_same_log():
    logs = [draw_click_log(np.random.default_rng(2), impressions=2000, queries=10) for _ in range(2)]
    for one, other in zip(*(vars(log).values() for log in logs), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_version_answers_a_query_with_one_page_unless_it_is_shuffled():
    log = draw_click_log(np.random.default_rng(3), impressions=20_000, queries=10, random_share=0.5)
    place = (log.query * 2 + log.version) * 10 + log.position
    orders = [len(np.unique(place[rows] * IMAGES + log.image[rows])) for rows in (~log.randomised, log.randomised)]
    assert orders[0] == 10 * 2 * 10
    assert orders[1] > 5 * orders[0]


@pytest.mark.parametrize("model", ["position", "trust"])
def test_clicks_follow_the_stated_model(model):
    log = draw_click_log(np.random.default_rng(4), impressions=400_000, queries=50, model=model, random_share=1.0)
    for position in (1, 3, 10):
        for grade in (0, 3, 5):
            clicked = log.clicked[(log.position == position) & (log.grade == grade)]
            expected = click_probability(np.array(position), np.array(grade), model=model)
            assert clicked.mean() == pytest.approx(expected, abs=4 * (expected / len(clicked)) ** 0.5)


def test_counts_keep_every_impression_and_click():
    log = draw_click_log(np.random.default_rng(5), impressions=3000, queries=10)
    counts = counts_of(log)
    assert counts.impressions.sum() == 3000
    assert counts.clicks.sum() == log.clicked.sum()
    # A pair has one relevance, and a query is in one bucket.
    assert len(np.unique(counts.pair)) == len(np.unique(np.stack([counts.pair, log.grade]), axis=1).T)
    assert len(np.unique(log.query)) == len(np.unique(np.stack([log.query, counts.bucket]), axis=1).T)
