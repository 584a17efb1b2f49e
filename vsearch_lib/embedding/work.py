"""Which images need a vector of a model, and which have a vector that must be deleted."""

from dataclasses import dataclass

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from vsearch_lib.eligibility import LIVING
from vsearch_lib.lake import Lake
from vsearch_lib.lake.changes import Position, added, before_and_after
from vsearch_lib.lake.eligible import living_images
from vsearch_lib.spark.checkpoint import checkpointed

_BROADCAST_ROWS = 2_000_000  # keys, about 200 MB: sending them to every worker saves a shuffle of pictures or vectors


@dataclass(frozen=True)
class Work:
    """`to_embed` (image_id, sha256): images to embed; `to_delete` (model_version, image_id): vectors to delete.

    Both are computed already.
    """

    to_embed: DataFrame
    to_delete: DataFrame


def work_to_do(lake: Lake, model_version: str, since: Position | None, until: Position) -> Work:
    """Return the work that follows from changes in `images` after `since`, up to which the model has embedded all.

    If the changes are not known, all of `images` is compared with `embeddings`.
    """
    version = F.lit(model_version).alias("model_version")
    changes = before_and_after(lake, "images", F.expr(f"IF({LIVING}, sha256, NULL)"), since, until)
    if changes is not None:
        changes = checkpointed(changes.where("NOT before <=> after"))
        return Work(
            to_embed=changes.where("after IS NOT NULL").select("image_id", F.col("after").alias("sha256")),
            to_delete=changes.where("after IS NULL").select(version, "image_id"),
        )
    known = lake.read("embeddings").where(F.col("model_version") == model_version)
    living = living_images(lake).select("image_id", "sha256")
    to_delete = known.select("image_id").join(living, "image_id", "left_anti").select(version, "image_id")
    return Work(checkpointed(without_vector(living, known)), checkpointed(to_delete))


def without_vector(living: DataFrame, known: DataFrame) -> DataFrame:
    """Return image_id and sha256 of the images whose current pixels have no vector in `known`."""
    return living.join(known.select("image_id", "sha256"), ["image_id", "sha256"], "left_anti")


def refused_before(lake: Lake, model_version: str) -> Work:
    """Return the living images that are in quarantine because they have no vector."""
    refused = lake.read("quarantine").where("table = 'embeddings'").select(F.col("source").alias("image_id")).distinct()
    known = lake.read("embeddings").where(F.col("model_version") == model_version)
    living = living_images(lake).select("image_id", "sha256").join(refused, "image_id", "left_semi")
    return Work(checkpointed(without_vector(living, known)), known.select("model_version", "image_id").limit(0))


def pixel_sources(lake: Lake, since: Position | None, until: Position) -> list[DataFrame]:
    """Return the frames to search for pixels (sha256, jpeg) in turn: those added after `since`, then all pixels.

    Each frame has a picture once.
    """
    all_pixels = lake.read("image_pixels").select("sha256", "jpeg")
    new = added(lake, "image_pixels", since, until)
    if new is None:
        return [all_pixels]
    # Pixels that were deleted and stored again were added twice.
    return [new.select("sha256", "jpeg").dropDuplicates(["sha256"]), all_pixels]


def with_hashes(rows: DataFrame, hashes: DataFrame, count: int) -> DataFrame:
    """Return those of `rows` whose sha256 is in `hashes`, which has `count` rows."""
    return rows.join(F.broadcast(hashes) if count <= _BROADCAST_ROWS else hashes, "sha256", "left_semi")
