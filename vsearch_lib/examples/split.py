"""The split into training, validation and test images: by what a picture looks like, so that no image ever moves."""

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from vsearch_lib.config import Settings
from vsearch_lib.config.examples import Examples
from vsearch_lib.eligibility import PUBLIC
from vsearch_lib.lake import Lake

_GRAIN = 10_000


def images_with_split(lake: Lake, settings: Settings) -> DataFrame:
    """Return the images that everybody may see, with the `group` and `split` of `with_split`."""
    return with_split(lake.read("images"), lake.read("near_duplicates"), settings.examples).where(PUBLIC)


def with_split(images: DataFrame, near_duplicates: DataFrame, chosen: Examples) -> DataFrame:
    """Return `images` with the columns group and split: train, validation, test, or null for an image in no split.

    Pictures of one `group` look the same: it is that of the near-duplicates, or the picture's sha256 if it has none.

    The perceptual hash decides, so pictures with the same hash are on the same side, under any ids. A group of
    near-duplicates whose hashes differ may fall on several sides: then all its images are in no split, because an image
    of one side would show what an image of another looks like. So a picture that lands later can take images out of a
    split, but never moves one to another: no test image was seen by a model that was trained before.

    An image with one of `chosen.held_out_tags` is a test image: a class that training never sees (open set). It moves
    only if its tags or that setting change.

    Args:
        images: all images of the catalogue: image_id, sha256, phash, tags.
        near_duplicates: sha256, group_sha256.
        chosen: the shares, the seed, and the held-out tags.
    """
    group = Window.partitionBy("group")
    sides = images.join(near_duplicates, "sha256", "left").withColumn("_side", _side(chosen))
    sides = sides.withColumn("group", F.coalesce("group_sha256", "sha256"))
    agreed = F.min("_side").over(group) == F.max("_side").over(group)
    return sides.withColumn("split", F.when(agreed, F.col("_side"))).drop("_side", "group_sha256")


def _side(chosen: Examples) -> Column:
    bucket = F.pmod(F.xxhash64("phash", F.lit(chosen.split_seed)), F.lit(_GRAIN))
    tested = round(chosen.test_share * _GRAIN)
    validated = tested + round(chosen.validation_share * (_GRAIN - tested))
    return (
        F.when((bucket < tested) | _has_any(chosen.held_out_tags), "test")
        .when(bucket < validated, "validation")
        .otherwise("train")
    )


def _has_any(tags: Sequence[str]) -> Column:
    if not tags:
        return F.lit(False)
    return F.coalesce(F.arrays_overlap("tags", F.array(*map(F.lit, tags))), F.lit(False))
