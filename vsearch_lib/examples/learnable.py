"""The images that a model may learn from."""

from pyspark.sql import DataFrame

from vsearch_lib.config import Settings
from vsearch_lib.examples.split import is_test
from vsearch_lib.lake import Lake
from vsearch_lib.lake.eligible import public_images


def images_to_learn_from(lake: Lake, settings: Settings) -> DataFrame:
    """Return the public images that are not in the test split."""
    chosen = settings.examples
    return public_images(lake).where(~is_test(test_share=chosen.test_share, seed=chosen.split_seed))
