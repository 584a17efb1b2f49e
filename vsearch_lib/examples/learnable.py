"""The images that a model may learn from."""

from pyspark.sql import DataFrame

from vsearch_lib.config import Settings
from vsearch_lib.config.examples import Examples
from vsearch_lib.eligibility import PUBLIC
from vsearch_lib.examples.split import with_split
from vsearch_lib.lake import Lake


def images_to_learn_from(lake: Lake, settings: Settings) -> DataFrame:
    """Return the public images of the training split, as they are now."""
    return for_training(lake.read("images"), lake.read("near_duplicates"), settings.examples)


def for_training(images: DataFrame, near_duplicates: DataFrame, chosen: Examples) -> DataFrame:
    """Return the public ones of `images` in the training split, with the columns that `with_split` adds."""
    return with_split(images, near_duplicates, chosen).where(PUBLIC).where("split = 'train'")
