"""Only queries that training never saw are measured, on what people said of them."""

from __future__ import annotations

import pytest
from pyspark.sql import functions as F

from vsearch_lib.measure.offline.judged import judged_queries, measured_images

SEED = 17
N = 60
# An image that looks like images of two sides is in no split.
SPLITS = ("train", "test", "validation", None)


@pytest.fixture(scope="module")
def images(spark):
    name = F.format_string("i%02d", "id")
    split = F.element_at(F.array(*map(F.lit, SPLITS)), (F.col("id") % len(SPLITS) + 1).cast("int")).alias("split")
    return spark.range(N).select(name.alias("image_id"), F.sha2(name, 256).alias("sha256"), split).cache()


@pytest.fixture(scope="module")
def held_out() -> list[str]:
    return [f"i{n:02d}" for n in range(N) if SPLITS[n % len(SPLITS)] == "test"]


def judgements(spark, rows):
    return spark.createDataFrame(rows, "query_image_id string, image_id string, annotator string, score int")


def judged(spark, images, rows, limit: int = 100, seed: int = SEED):
    return judged_queries(judgements(spark, rows), images, seed=seed, limit=limit)


def test_only_queries_of_the_test_split_are_measured(spark, images, held_out):
    rows = [(f"i{i:02d}", f"i{(i + 1) % N:02d}", "ann", 4) for i in range(N)]
    found = judged(spark, images, rows)
    assert sorted(found) == held_out
    assert 0 < len(held_out) < N
    assert found == {query: {f"i{(int(query[1:]) + 1) % N:02d}": 4} for query in held_out}


def test_a_score_is_the_mean_of_its_annotators_rounded(spark, images, held_out):
    query = held_out[0]
    others = [f"i{i:02d}" for i in range(N) if f"i{i:02d}" != query][:4]
    scores = {others[0]: [5, 5, 4], others[1]: [0, 0, 1], others[2]: [2, 3, 3, 3], others[3]: [1]}
    rows = [(query, image, f"a{n}", s) for image, given in scores.items() for n, s in enumerate(given)]
    # 14/3, 1/3, 11/4, 1
    assert judged(spark, images, rows) == {query: {others[0]: 5, others[1]: 0, others[2]: 3, others[3]: 1}}


def test_pairs_with_the_query_itself_or_with_missing_images_do_not_count(spark, images, held_out):
    first, second = held_out[:2]
    rows = [(first, first, "a", 5), (first, "gone", "a", 5), (second, "i00", "a", 3), ("gone", "i00", "a", 5)]
    expected = {second: {"i00": 3}} if second != "i00" else {}
    assert judged(spark, images, rows) == expected


def test_the_seed_chooses_the_queries_if_there_are_too_many(spark, images, held_out):
    rows = [(query, "i00" if query != "i00" else "i01", "a", 3) for query in held_out]
    few = judged(spark, images, rows, limit=4)
    assert len(few) == 4
    assert judged(spark, images.repartition(3), rows[::-1], limit=4) == few
    assert list(few) == sorted(few)
    assert judged(spark, images, rows, limit=4, seed=18) != few
    # The split has a seed of its own.
    assert judged(spark, images, rows, seed=18) == judged(spark, images, rows)


def test_no_judgements_are_no_queries(spark, images):
    assert judged(spark, images, []) == {}


def test_judged_images_are_measured_first_then_a_seeded_sample(spark, images):
    judged_pairs = {"i05": {"i07": 3, "i50": 0}}
    found = measured_images(images, judged_pairs, seed=1, limit=10).select("image_id", "sha256").collect()
    assert {row["image_id"] for row in found[:3]} == {"i05", "i07", "i50"}
    assert len(found) == len({row["image_id"] for row in found}) == 10
    again = (
        measured_images(images.repartition(3), judged_pairs, seed=1, limit=10).select("image_id", "sha256").collect()
    )
    assert set(found) == set(again)
