"""One index at two operating points is compared on the same queries."""

from __future__ import annotations

import pytest

from vsearch_lib.measure.comparison.indexes import Point, compare_indexes
from vsearch_lib.search.searcher import Searcher


@pytest.fixture(scope="module")
def points(published_judged):
    """The published index at its own operating point, and at one that re-scores a single row."""
    settings = published_judged().settings
    searcher = Searcher.open(settings.index.uri, cache=settings.cache)
    return Point("v1", searcher), Point("v1:1,1", searcher, 1, 1)


def test_an_operating_point_is_compared_with_another_on_judgements_and_against_exact_search(published_judged, points):
    context = published_judged("gate.min_compared_queries=5")
    judged, exact = compare_indexes(context, *points).evidence
    assert (judged.kind, exact.kind) == ("judged", "exact search")
    assert list(judged.values["v1"].queries) == list(judged.values["v1:1,1"].queries)
    assert judged.figures[-1].subject == "index v1 over v1:1,1"
    assert exact.values["v1"].of_each["recall_at_10"].mean() >= exact.values["v1:1,1"].of_each["recall_at_10"].mean()
    query = judged.values["v1"].queries[0]
    cosines = [cosine for _, cosine in judged.answers["v1"][query]]
    assert cosines == sorted(cosines, reverse=True)
    assert query not in [image for image, _ in judged.answers["v1"][query]]


def test_an_index_is_not_better_than_itself(published_judged, points):
    context = published_judged("gate.min_compared_queries=5")
    for evidence in compare_indexes(context, points[0], points[0]).evidence:
        assert evidence.gain.outcome == "no difference that can be told"


def test_too_few_images_in_common_are_no_comparison(published_judged, points):
    comparison = compare_indexes(published_judged("gate.min_compared_queries=1000"), *points)
    assert comparison.evidence == []
    assert "are too few queries" in comparison.missing
