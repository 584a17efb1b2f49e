"""The living images of the lake, and those that everybody may see."""

from pyspark.sql import DataFrame

from vsearch_lib.config import Settings
from vsearch_lib.eligibility import LIVING, PUBLIC
from vsearch_lib.errors import VsearchError
from vsearch_lib.lake.tables import Lake


def living_images(lake: Lake) -> DataFrame:
    """Return the images that are neither deleted nor blocked."""
    return lake.read("images").where(LIVING)


def public_images(lake: Lake) -> DataFrame:
    """Return the images that everybody may see, with the `group_sha256` that decides the split."""
    return lake.read("images").where(PUBLIC).join(lake.read("near_duplicates"), "sha256", "left")


def require_images(lake: Lake, settings: Settings) -> None:
    """Check that the lake has an image to make a model or an index from.

    Raises:
        VsearchError: the lake has no image: nothing has landed, or everything is refused, deleted or blocked.
    """
    if living_images(lake).isEmpty():
        raise VsearchError(
            f"the lake has no image, so there is nothing to search: put pictures in {settings.landing.images}, then "
            "run vsearch run nightly again"
        )
