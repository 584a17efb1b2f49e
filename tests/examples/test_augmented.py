"""Each image is a query once; its positive is itself, and its negatives are other images."""

from __future__ import annotations

import pytest
from pyspark.sql import functions as F

from vsearch_lib.examples.augmented import augmentation_examples
from vsearch_lib.lake import table_schema


def images(spark, n: int):
    return spark.range(n).select(F.format_string("image-%04d", "id").alias("image_id"))


def examples(spark, n: int, *, candidates: int, seed: int = 17):
    return augmentation_examples(images(spark, n), candidates=candidates, seed=seed).collect()


@pytest.fixture(scope="module", params=[(150, 4), (3, 3), (5, 9)], ids=lambda p: f"{p[0]} of {p[1]}")
def made(request, spark):
    n, candidates = request.param
    return n, candidates, examples(spark, n, candidates=candidates)


def test_every_image_is_a_query_once(made):
    n, _, rows = made
    assert sorted(row["query_image_id"] for row in rows) == [f"image-{i:04d}" for i in range(n)]
    assert len({row["example_id"] for row in rows}) == n


def test_the_label_points_at_the_query_among_its_candidates(made):
    for row in made[2]:
        assert row["candidate_image_ids"][row["label"]] == row["query_image_id"]


def test_negatives_are_other_images_and_differ_from_each_other(made):
    for row in made[2]:
        negatives = [image for i, image in enumerate(row["candidate_image_ids"]) if i != row["label"]]
        assert row["query_image_id"] not in negatives
        assert len(set(negatives)) == len(negatives)


def test_the_number_of_candidates_is_the_setting_or_the_number_of_images(made):
    n, candidates, rows = made
    assert {len(row["candidate_image_ids"]) for row in rows} == {min(n, candidates)}


def test_one_image_has_itself_as_its_only_candidate(spark):
    (row,) = examples(spark, 1, candidates=4)
    assert (row["candidate_image_ids"], row["label"]) == (["image-0000"], 0)


def test_no_images_give_no_examples(spark):
    assert examples(spark, 0, candidates=4) == []


def test_examples_depend_on_the_seed_and_not_on_the_partitions(spark):
    def made(frame, seed: int):
        return sorted(map(tuple, augmentation_examples(frame, candidates=3, seed=seed).collect()))

    first = made(images(spark, 60), 17)
    assert made(images(spark, 60).repartition(5), 17) == first
    assert made(images(spark, 60), 18) != first


def test_the_index_of_the_positive_is_random(spark):
    labels = [row["label"] for row in examples(spark, 300, candidates=3)]
    # 100 of each are expected; four standard deviations of a binomial are 33.
    assert all(67 <= labels.count(label) <= 133 for label in range(3))


def test_negatives_are_spread_over_all_images(spark):
    """No image is the negative of many queries: of 300 choices among 300 images, far fewer than ten are the same."""
    rows = examples(spark, 300, candidates=2)
    negatives = [row["candidate_image_ids"][1 - row["label"]] for row in rows]
    assert max(negatives.count(image) for image in set(negatives)) < 10
    assert len(set(negatives)) > 150


def test_rows_have_all_columns_of_the_table_except_those_that_the_job_adds(spark):
    columns = set(augmentation_examples(images(spark, 3), candidates=2, seed=1).columns)
    assert columns == set(table_schema("training_examples").names) - {"snapshot", "split", "sha256s", "made_at"}
