"""Which images want a vector of a model, and which have one that they should not have any more."""

from dataclasses import dataclass

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from vsearch_lib.lake import Lake
from vsearch_lib.lake.changes import Position, added, changed
from vsearch_lib.lake.computed import computed

LIVING = "deleted_at IS NULL AND moderation != 'blocked'"
_BROADCAST_ROWS = 2_000_000  # of keys, about 200 MB: sent to every worker, they save a shuffle of pictures or vectors


@dataclass(frozen=True)
class Work:
    """`todo` (image_id, sha256): images to embed; `departed` (model_version, image_id): keys of vectors to delete."""

    todo: DataFrame
    departed: DataFrame


def work_to_do(lake: Lake, model_version: str, since: Position | None, until: Position) -> Work:
    """Compare `images` with `embeddings`: what changed there after `since`, or all of it where that is not known."""
    known = lake.read("embeddings").where(F.col("model_version") == model_version)
    known = known.select("model_version", "image_id", "sha256")
    images = changed(lake, "images", since, until)
    if images is None:
        living = lake.read("images").where(LIVING).select("image_id", "sha256")
        return Work(without_vector(living, known), departed_from(known, living))
    images = computed(images.select("image_id", "sha256", (F.expr(LIVING) & ~F.col("gone")).alias("living")))
    # Of the table's many vectors only those of the few changed images, by their keys.
    known = computed(known.join(_sent_whole(images.select("image_id")), "image_id", "left_semi"))
    living = images.where("living").select("image_id", "sha256")
    return Work(without_vector(living, known), departed_from(known, living))


def without_vector(living: DataFrame, known: DataFrame) -> DataFrame:
    """Return image_id and sha256 of the images whose present pixels have no vector among `known`."""
    return living.join(known.select("image_id", "sha256"), ["image_id", "sha256"], "left_anti")


def departed_from(known: DataFrame, living: DataFrame) -> DataFrame:
    """Return the keys of vectors whose image is gone."""
    return known.join(living, "image_id", "left_anti").select("model_version", "image_id")


def refused_before(lake: Lake, model_version: str) -> Work:
    """Return the images that are in quarantine for want of a vector, where they live."""
    refused = lake.read("quarantine").where("table = 'embeddings'").select(F.col("source").alias("image_id")).distinct()
    known = lake.read("embeddings").where(F.col("model_version") == model_version)
    living = lake.read("images").where(LIVING).select("image_id", "sha256").join(refused, "image_id", "left_semi")
    return Work(without_vector(living, known), known.select("model_version", "image_id").limit(0))


def pixels_of(lake: Lake, hashes: DataFrame, since: Position | None, until: Position) -> DataFrame:
    """Return sha256 and jpeg of `hashes` (sha256): from what was added after `since` where all of them are there."""
    stored = added(lake, "image_pixels", since, until)
    if stored is None or not hashes.join(stored.select("sha256"), "sha256", "left_anti").isEmpty():
        stored = lake.read("image_pixels")
    return stored.select("sha256", "jpeg").join(_sent_whole(hashes), "sha256", "left_semi")


def _sent_whole(keys: DataFrame) -> DataFrame:
    """Have a join send checkpointed `keys` to the other side's rows, where they are few enough for that."""
    return F.broadcast(keys) if keys.count() <= _BROADCAST_ROWS else keys
