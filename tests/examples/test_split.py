"""No image of one split looks like an image of another, no image ever moves, and the shares are near the settings."""

from __future__ import annotations

import hashlib
from collections import defaultdict

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyspark.sql import functions as F

from vsearch_lib.config import load_settings
from vsearch_lib.config.examples import Examples
from vsearch_lib.examples.split import with_split

IMAGES = 2000


def chosen(*, test: float = 0.2, validation: float = 0.1, seed: int = 17, held_out: tuple[str, ...] = ()) -> Examples:
    values = {"test_share": test, "validation_share": validation, "split_seed": seed, "held_out_tags": held_out}
    return Examples(**{**load_settings("demo").examples.model_dump(), **values})


def digest(word: object) -> str:
    return hashlib.sha256(str(word).encode()).hexdigest()


def split_of(spark, pictures, choice: Examples) -> dict[str, str | None]:
    """The split of each image of a catalogue: image id → (perceptual hash, group or None, tags)."""
    images = [(image, digest(image), phash, list(tags)) for image, (phash, _, tags) in pictures.items()]
    grouped = [(digest(image), digest(group)) for image, (_, group, _) in pictures.items() if group is not None]
    rows = with_split(
        spark.createDataFrame(images, "image_id string, sha256 string, phash string, tags array<string>"),
        spark.createDataFrame(grouped, "sha256 string, group_sha256 string"),
        choice,
    )
    return {row["image_id"]: row["split"] for row in rows.collect()}


@pytest.fixture(scope="module")
def many(spark):
    """2,000 images without near-duplicates; n and n + 1000 have the same perceptual hash if n is below 500."""
    same = F.when(F.col("id") % 1000 < 500, F.col("id") % 1000).otherwise(F.col("id"))
    images = spark.range(IMAGES).select(
        F.format_string("image-%05d", "id").alias("image_id"),
        F.sha2(F.col("id").cast("string"), 256).alias("sha256"),
        F.substring(F.sha2(same.cast("string"), 256), 1, 16).alias("phash"),
        F.array(F.lit("tag")).alias("tags"),
    )
    nothing = spark.createDataFrame([], "sha256 string, group_sha256 string")

    def split(choice: Examples, partitions: int = 2) -> dict[str, str]:
        return {
            r[0]: r[1]
            for r in with_split(images.repartition(partitions), nothing, choice)["image_id", "split"].collect()
        }

    return split


@pytest.mark.parametrize(("test", "validation"), [(0.05, 0.1), (0.2, 0.1), (0.5, 0.4)])
def test_the_shares_are_near_the_settings(many, test, validation):
    sides = list(many(chosen(test=test, validation=validation)).values())
    for side, share in (("test", test), ("validation", (1 - test) * validation)):
        # 1,000 random decisions are about one picture, 500 about two; four standard deviations.
        deviation = (share * (1 - share) * (1000 + 500 * 4)) ** 0.5 / IMAGES
        assert abs(sides.count(side) / IMAGES - share) < 4 * deviation


def test_pictures_with_the_same_perceptual_hash_are_on_the_same_side(many):
    sides = many(chosen())
    assert all(sides[f"image-{n:05d}"] == sides[f"image-{n + 1000:05d}"] for n in range(500))


def test_shares_of_zero_leave_all_images_to_training(many):
    assert set(many(chosen(test=0, validation=0)).values()) == {"train"}


def test_the_split_depends_only_on_the_seed(many):
    first = many(chosen())
    assert many(chosen(), partitions=7) == first
    assert many(chosen(seed=18)) != first


def test_a_larger_test_share_only_adds_test_images(many):
    small, large = (many(chosen(test=share)) for share in (0.1, 0.3))
    assert {image for image, side in small.items() if side == "test"} < {i for i, s in large.items() if s == "test"}


def test_images_with_a_held_out_tag_are_test_images_and_their_near_duplicates_are_in_no_split(spark):
    pictures = {f"i{n:02d}": (f"hash {n}", None, ("shoes",)) for n in range(20)}
    sides = split_of(spark, pictures, chosen())
    trained = next(image for image, side in sides.items() if side == "train")
    pictures["boot"] = ("another hash", "pair", ("boots", "shoes"))
    pictures[trained] = (pictures[trained][0], "pair", ("shoes",))
    after = split_of(spark, pictures, chosen(held_out=("boots",)))
    assert (after["boot"], after[trained]) == (None, None)
    pictures["boot"] = ("another hash", None, ("boots", "shoes"))
    pictures[trained] = (pictures[trained][0], None, ("shoes",))
    assert split_of(spark, pictures, chosen(held_out=("boots",))) == {**sides, "boot": "test"}


def test_if_all_images_are_duplicates_of_one_they_are_on_one_side(spark):
    sides = split_of(spark, {f"i{n}": ("the hash", "all", ()) for n in range(30)}, chosen())
    assert len(set(sides.values())) == 1
    assert None not in sides.values()


HASHES = [f"{n:016x}" for n in range(12)]
# Few hashes and few groups: most pictures have duplicates, and many groups have pictures of several sides.
PICTURES = st.lists(
    st.tuples(st.sampled_from(HASHES), st.sampled_from([None, None, "g1", "g2", "g3"])), min_size=2, max_size=25
)


@settings(max_examples=6, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pictures=PICTURES, known=st.integers(1, 24), joined=st.booleans(), seed=st.integers(-(2**31), 2**31 - 1))
def test_nobody_moves_as_the_catalogue_grows_and_no_look_is_in_two_splits(spark, pictures, known, joined, seed):
    after = {f"i{n:02d}": (phash, group, ()) for n, (phash, group) in enumerate(pictures)}
    before = dict(list(after.items())[:known])
    if joined:  # a new picture joins two groups
        after = {image: (phash, "g1" if group == "g2" else group, ()) for image, (phash, group, _) in after.items()}
    choice = chosen(test=0.4, validation=0.4, seed=seed)
    was, now = split_of(spark, before, choice), split_of(spark, after, choice)
    assert {(was[image], now[image]) for image in was if None not in (was[image], now[image])} <= {
        (side, side) for side in ("train", "validation", "test")
    }
    looks = defaultdict(set)
    for image, (phash, group, _) in after.items():
        if now[image] is not None:
            looks[phash].add(now[image])
            looks[group or image].add(now[image])
    assert all(len(sides) == 1 for sides in looks.values())
