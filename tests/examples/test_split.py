"""The split is by group of near-duplicates, and its share is near the configured one."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyspark.sql import functions as F

from vsearch_lib.examples.split import is_test

IMAGES = 2000


@pytest.fixture(scope="module")
def images(spark):
    """2,000 pictures: n and n + 1000 are near-duplicates if n is below 500, the others have none."""
    sha256 = F.sha2(F.col("id").cast("string"), 256)
    group = F.when(F.col("id") % 1000 < 500, F.sha2((F.col("id") % 1000).cast("string"), 256))
    name = F.format_string("image-%05d", "id")
    return (
        spark.range(IMAGES).select(name.alias("image_id"), sha256.alias("sha256"), group.alias("group_sha256")).cache()
    )


def held_out(images, *, share: float, seed: int = 17) -> set[str]:
    return {row["image_id"] for row in images.where(is_test(test_share=share, seed=seed)).select("image_id").collect()}


@pytest.mark.parametrize("share", [0.05, 0.2, 0.5])
def test_the_share_is_near_the_configured_one(images, share):
    # 1,000 random decisions are about one picture, 500 about two; four standard deviations.
    deviation = (share * (1 - share) * (1000 + 500 * 4)) ** 0.5 / IMAGES
    assert abs(len(held_out(images, share=share)) / IMAGES - share) < 4 * deviation


def test_near_duplicates_are_on_the_same_side(images):
    chosen = {int(image[6:]) for image in held_out(images, share=0.2)}
    grouped = {n for n in chosen if n % 1000 < 500}
    assert grouped
    assert {(n + 1000) % 2000 for n in grouped} == grouped


def test_copies_under_several_ids_are_on_the_same_side(images):
    copies = images.unionByName(images.withColumn("image_id", F.concat(F.lit("copy-"), F.substring("image_id", 7, 5))))
    chosen = {image.replace("copy-", "image-") for image in held_out(copies, share=0.2)}
    assert len(held_out(copies, share=0.2)) == 2 * len(chosen)


def test_a_share_of_zero_holds_no_image_out(images):
    assert held_out(images, share=0) == set()


def test_the_split_depends_only_on_the_seed(images):
    first = held_out(images, share=0.2)
    assert held_out(images.repartition(7).orderBy(F.rand()), share=0.2) == first
    assert held_out(images, share=0.2, seed=18) != first


@settings(max_examples=4, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(small=st.floats(0, 0.99), large=st.floats(0, 0.99), seed=st.integers(-(2**31), 2**31 - 1))
def test_a_larger_share_only_adds_test_images(images, small, large, seed):
    small, large = sorted([small, large])
    assert held_out(images, share=small, seed=seed) <= held_out(images, share=large, seed=seed)
