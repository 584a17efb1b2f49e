"""Figures of many queries on Spark are those that NumPy computes."""

from __future__ import annotations

import numpy as np
import pytest

from vsearch_lib.measure.offline.formulas import Measures
from vsearch_lib.measure.offline.on_spark import sums_on_spark, values_on_spark
from vsearch_lib.measure.offline.ranking import measured

MEASURES = Measures((1, 10), exponential_gain=True, judged_only=True)


@pytest.fixture(scope="module")
def world(spark):
    """Judgements and rankings of 40 queries, one of them without a ranking; and the values that Spark computes."""
    rng = np.random.default_rng(3)
    images = [f"i{n}" for n in range(30)]
    judgements = {
        f"q{q:02d}": {str(image): int(rng.integers(6)) for image in rng.choice(images, 8, replace=False)}
        for q in range(40)
    }
    rankings = {query: [str(image) for image in rng.permutation(images)[:20]] for query in list(judgements)[1:]}
    rows = [(query, image, rank) for query, ids in rankings.items() for rank, image in enumerate(ids, start=1)]
    pairs = [(query, image, grade) for query, grades in judgements.items() for image, grade in grades.items()]
    values = values_on_spark(
        spark.createDataFrame(rows, "query_image_id string, image_id string, rank int").repartition(3),
        spark.createDataFrame(pairs, "query_image_id string, image_id string, score int").repartition(2),
        MEASURES,
    ).localCheckpoint()
    return judgements, rankings, values


def test_every_value_of_every_query_is_that_of_numpy(world):
    judgements, rankings, values = world
    expected = measured(judgements, rankings, MEASURES)
    rows = {row["query_image_id"]: row for row in values.collect()}
    assert set(rows) == set(judgements)
    for name, of_each in expected.of_each.items():
        assert [rows[query][name] for query in expected.queries] == pytest.approx(of_each.tolist()), name


def test_sums_of_slices_are_those_of_their_queries(spark, world):
    judgements, rankings, values = world
    ndcg = measured(judgements, rankings, MEASURES).of_each["ndcg_at_10"]
    slices = spark.createDataFrame(
        [("q00", ["a", "b"]), ("q01", ["a"]), ("q02", [])], "image_id string, slices array<string>"
    )
    found = sums_on_spark(values, "ndcg_at_10", slices)
    assert set(found) == {"a", "b"}
    assert (found["a"].n, found["b"].n) == (2, 1)
    assert found["a"].total == pytest.approx(ndcg[0] + ndcg[1])
    assert found["a"].squares == pytest.approx(ndcg[0] ** 2 + ndcg[1] ** 2)
