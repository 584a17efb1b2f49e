"""Who may see an image, and which images a model may learn from."""

from pyspark.sql import DataFrame

from vsearch_lib.config import Settings
from vsearch_lib.embedding.work import LIVING
from vsearch_lib.errors import VsearchError
from vsearch_lib.examples.split import is_test
from vsearch_lib.lake import Lake


def public_images(lake: Lake) -> DataFrame:
    """Return the images that everybody may see, with the `group_sha256` that the split goes by."""
    images = lake.read("images").where("deleted_at IS NULL AND moderation != 'blocked' AND visibility = 'public'")
    return images.join(lake.read("near_duplicates"), "sha256", "left")


def images_to_learn_from(lake: Lake, settings: Settings) -> DataFrame:
    """Return the public images that are not in the test split."""
    chosen = settings.examples
    return public_images(lake).where(~is_test(test_share=chosen.test_share, seed=chosen.seed))


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
