"""Which images live, and who may see them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vsearch_lib.errors import VsearchError

if TYPE_CHECKING:  # who answers a query goes by these rules too, without Spark
    from pyspark.sql import DataFrame

    from vsearch_lib.config import Settings
    from vsearch_lib.lake import Lake

# Conditions on `images`, in SQL that Spark and delta-rs read the same way.
LIVING = "deleted_at IS NULL AND moderation != 'blocked'"
PUBLIC = f"{LIVING} AND visibility = 'public'"


def public_images(lake: Lake) -> DataFrame:
    """Return the images that everybody may see, with the `group_sha256` that the split goes by."""
    images = lake.read("images").where(PUBLIC)
    return images.join(lake.read("near_duplicates"), "sha256", "left")


def require_images(lake: Lake, settings: Settings) -> None:
    """Check that the lake has an image to make a model or an index of.

    Raises:
        VsearchError: it has none: nothing has landed, or everything is refused, deleted or blocked.
    """
    if lake.read("images").where(LIVING).isEmpty():
        raise VsearchError(
            f"the lake has no image, so there is nothing to search: put pictures in {settings.landing.images}, then "
            "run vsearch run nightly again"
        )
