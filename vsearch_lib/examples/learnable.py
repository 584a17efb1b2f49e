"""The images that a model may learn from."""

from pyspark.sql import DataFrame

from vsearch_lib.config import Settings
from vsearch_lib.examples.split import images_with_split
from vsearch_lib.lake import Lake


def images_to_learn_from(lake: Lake, settings: Settings) -> DataFrame:
    """Return the public images of the training split."""
    return images_with_split(lake, settings).where("split = 'train'")
