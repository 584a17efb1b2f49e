"""The split is by picture, for ever, and near the share asked for."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyspark.sql import functions as F

from vsearch_lib.examples.split import is_test

IMAGES = 2000


@pytest.fixture(scope="module")
def images(spark):
    """2,000 ids of 1,000 pictures: image n and image n + 1000 are copies."""
    phash = F.sha2((F.col("id") % 1000).cast("string"), 256).substr(1, 16)
    return (
        spark.range(IMAGES).select(F.format_string("image-%05d", "id").alias("image_id"), phash.alias("phash")).cache()
    )


def held_out(images, *, share: float, seed: int = 17) -> set[str]:
    return {row["image_id"] for row in images.where(is_test(test_share=share, seed=seed)).select("image_id").collect()}


@pytest.mark.parametrize("share", [0.05, 0.2, 0.5])
def test_the_share_is_near_the_one_asked_for(images, share):
    # Of 1,000 independent draws; four standard deviations.
    deviation = (share * (1 - share) / 1000) ** 0.5
    assert abs(len(held_out(images, share=share)) / IMAGES - share) < 4 * deviation


def test_copies_of_a_picture_stand_on_one_side(images):
    chosen = held_out(images, share=0.2)
    assert {f"image-{(int(image[6:]) + 1000) % 2000:05d}" for image in chosen} == chosen


def test_no_share_holds_nothing_out(images):
    assert held_out(images, share=0) == set()


def test_the_seed_decides_and_nothing_else(images):
    first = held_out(images, share=0.2)
    assert held_out(images.repartition(7).orderBy(F.rand()), share=0.2) == first
    assert held_out(images, share=0.2, seed=18) != first


@settings(max_examples=4, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(small=st.floats(0, 0.99), large=st.floats(0, 0.99), seed=st.integers(-(2**31), 2**31 - 1))
def test_a_larger_share_only_adds(images, small, large, seed):
    small, large = sorted([small, large])
    assert held_out(images, share=small, seed=seed) <= held_out(images, share=large, seed=seed)
