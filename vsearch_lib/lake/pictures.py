"""Stored pictures of a few images, for pages that show them."""

from collections.abc import Sequence

from pyspark.sql import functions as F

from vsearch_lib.eligibility import PUBLIC
from vsearch_lib.lake.tables import Lake


def stored_jpegs(lake: Lake, image_ids: Sequence[str]) -> dict[str, bytes]:
    """Return image id → stored JPEG, for those of `image_ids` that are in the lake."""
    return _jpegs(lake, image_ids, "TRUE")


def public_jpegs(lake: Lake, image_ids: Sequence[str]) -> dict[str, bytes]:
    """Return image id → stored JPEG, for those of `image_ids` that everybody may see now."""
    return _jpegs(lake, image_ids, PUBLIC)


def _jpegs(lake: Lake, image_ids: Sequence[str], condition: str) -> dict[str, bytes]:
    images = lake.read("images").where(condition).where(F.col("image_id").isin(list(image_ids)))
    pixels = images.select("image_id", "sha256").join(lake.read("image_pixels").select("sha256", "jpeg"), "sha256")
    return {row["image_id"]: bytes(row["jpeg"]) for row in pixels.select("image_id", "jpeg").collect()}
