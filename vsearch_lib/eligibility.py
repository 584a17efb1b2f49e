"""Who may see an image."""

from pyspark.sql import DataFrame

from vsearch_lib.lake import Lake


def public_images(lake: Lake) -> DataFrame:
    """Return the images that everybody may see, with the `group_sha256` that the split goes by."""
    images = lake.read("images").where("deleted_at IS NULL AND moderation != 'blocked' AND visibility = 'public'")
    return images.join(lake.read("near_duplicates"), "sha256", "left")
