"""Which images want a vector of a model, and which have one that they should not have any more."""

from dataclasses import dataclass

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from vsearch_lib.eligibility import LIVING
from vsearch_lib.lake import Lake
from vsearch_lib.lake.changes import Position, added, before_and_after
from vsearch_lib.lake.eligible import living_images
from vsearch_lib.spark.checkpoint import checkpointed

_BROADCAST_ROWS = 2_000_000  # of keys, about 200 MB: sent to every worker, they save a shuffle of pictures or vectors


@dataclass(frozen=True)
class Work:
    """`to_embed` (image_id, sha256): images to embed; `to_delete` (model_version, image_id): whose vectors are to go.

    Both are computed already.
    """

    to_embed: DataFrame
    to_delete: DataFrame


def work_to_do(lake: Lake, model_version: str, since: Position | None, until: Position) -> Work:
    """Tell it from what changed in `images` after `since`, until when the model had embedded all of it.

    Where that is not known, all of `images` is compared with `embeddings`.
    """
    version = F.lit(model_version).alias("model_version")
    moved = before_and_after(lake, "images", F.expr(f"IF({LIVING}, sha256, NULL)"), since, until)
    if moved is not None:
        moved = checkpointed(moved.where("NOT before <=> after"))
        return Work(
            to_embed=moved.where("after IS NOT NULL").select("image_id", F.col("after").alias("sha256")),
            to_delete=moved.where("after IS NULL").select(version, "image_id"),
        )
    known = lake.read("embeddings").where(F.col("model_version") == model_version)
    living = living_images(lake).select("image_id", "sha256")
    to_delete = known.select("image_id").join(living, "image_id", "left_anti").select(version, "image_id")
    return Work(checkpointed(without_vector(living, known)), checkpointed(to_delete))


def without_vector(living: DataFrame, known: DataFrame) -> DataFrame:
    """Return image_id and sha256 of the images whose present pixels have no vector among `known`."""
    return living.join(known.select("image_id", "sha256"), ["image_id", "sha256"], "left_anti")


def refused_before(lake: Lake, model_version: str) -> Work:
    """Return the images that are in quarantine for want of a vector, where they live."""
    refused = lake.read("quarantine").where("table = 'embeddings'").select(F.col("source").alias("image_id")).distinct()
    known = lake.read("embeddings").where(F.col("model_version") == model_version)
    living = living_images(lake).select("image_id", "sha256").join(refused, "image_id", "left_semi")
    return Work(checkpointed(without_vector(living, known)), known.select("model_version", "image_id").limit(0))


def pixel_sources(lake: Lake, since: Position | None, until: Position) -> list[DataFrame]:
    """Return where to look for pixels (sha256, jpeg), in turn: among what was added after `since`, then everywhere.

    Each place names a picture once.
    """
    everywhere = lake.read("image_pixels").select("sha256", "jpeg")
    new = added(lake, "image_pixels", since, until)
    if new is None:
        return [everywhere]
    # One that left and came again was added twice.
    return [new.select("sha256", "jpeg").dropDuplicates(["sha256"]), everywhere]


def with_hashes(rows: DataFrame, hashes: DataFrame, count: int) -> DataFrame:
    """Return those of `rows` whose sha256 is among `hashes`, which are `count`."""
    # Sent to the other side's rows where they are few enough for that.
    return rows.join(F.broadcast(hashes) if count <= _BROADCAST_ROWS else hashes, "sha256", "left_semi")
