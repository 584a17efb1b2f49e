"""The living images of the lake."""

from pyspark.sql import DataFrame

from vsearch_lib.config import Settings
from vsearch_lib.eligibility import LIVING
from vsearch_lib.errors import VsearchError
from vsearch_lib.lake.tables import Lake


def living_images(lake: Lake) -> DataFrame:
    """Return the images that are neither deleted nor blocked."""
    return lake.read("images").where(LIVING)


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
