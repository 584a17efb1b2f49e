"""The rows of an index: the living images, each with the vector of its current pixels."""

from collections.abc import Mapping
from dataclasses import dataclass

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from vsearch_lib.artefact.rows import ROWS
from vsearch_lib.eligibility import LIVING
from vsearch_lib.index.placement import in_shards
from vsearch_lib.lake import Lake
from vsearch_lib.lake.changes import Position, changed, position
from vsearch_lib.spark.checkpoint import checkpointed

_FACTS = [*ROWS.names, "sha256"]
_VECTOR = ["image_id", "sha256", "vector"]
# Erasures add no rows, but after a new one no version may name a file that holds erased rows.
INPUTS = ("images", "embeddings", "erasures")


@dataclass(frozen=True)
class Changes:
    """`rows` (columns of ROWS, and vector) are new or changed; `touched` (image_id) has their images and gone ones."""

    rows: DataFrame
    touched: DataFrame


def positions(lake: Lake) -> dict[str, Position]:
    """Return the current positions of the tables that an index is built from."""
    found = {table: position(lake, table) for table in INPUTS}
    return {table: current for table, current in found.items() if current is not None}


def living_rows(lake: Lake, model_version: str, read_at: Mapping[str, Position], *, shards: int) -> DataFrame:
    """Return the columns of ROWS, vector, shard and partition_key of every image that was living at `read_at`.

    Both tables are partitioned by shard and joined within the partitions, so vectors are shuffled once.
    """
    images = lake.read("images", version=_version(read_at, "images")).where(LIVING).select(_FACTS)
    vectors = in_shards(embedded(lake, model_version, read_at), shards).drop("shard")
    return in_shards(images, shards).join(vectors, ["partition_key", "image_id", "sha256"]).drop("sha256")


def embedded(lake: Lake, model_version: str, read_at: Mapping[str, Position]) -> DataFrame:
    """Return image_id, sha256 and vector of every image that the model had embedded at `read_at`, living or not.

    Few of them are not living: the next run of embed_images deletes their vectors.
    """
    vectors = lake.read("embeddings", version=_version(read_at, "embeddings"))
    return vectors.where(F.col("model_version") == model_version).select(_VECTOR)


def changed_rows(
    lake: Lake, model_version: str, since: Mapping[str, Position], until: Mapping[str, Position]
) -> Changes | None:
    """Return what changed between two positions in the tables' histories, None if the histories no longer show it."""
    feeds = {}
    for table in ("images", "embeddings"):
        feed = changed(lake, table, since.get(table), until[table]) if table in until else None
        if feed is None:
            return None
        feeds[table] = feed
    of_model = F.col("model_version") == model_version
    images = checkpointed(feeds["images"].select(*_FACTS, (F.expr(LIVING) & ~F.col("gone")).alias("valid")))
    vectors = checkpointed(feeds["embeddings"].where(of_model).select(*_VECTOR, (~F.col("gone")).alias("valid")))
    touched = checkpointed(images.select("image_id").union(vectors.select("image_id")).distinct())
    all_images = lake.read("images", version=until["images"].version).where(LIVING).select(_FACTS)
    all_vectors = lake.read("embeddings", version=until["embeddings"].version).where(of_model).select(_VECTOR)
    living = _valid_rows(images, all_images, touched)
    living_vectors = _valid_rows(vectors, all_vectors, living.select("image_id"))
    rows = living.join(living_vectors, ["image_id", "sha256"]).drop("sha256")
    return Changes(checkpointed(rows), touched)


def _valid_rows(feed: DataFrame, table: DataFrame, wanted: DataFrame) -> DataFrame:
    """Return the valid rows of `wanted` images: from the feed if it names the image, else from the table."""
    in_feed = feed.where("valid").drop("valid")
    unchanged = checkpointed(wanted.join(feed, "image_id", "left_anti"))
    # Most changes are new images, which are in both feeds: then no table is read.
    if unchanged.isEmpty():
        return in_feed
    return in_feed.unionByName(table.join(unchanged, "image_id", "left_semi"))


def _version(read_at: Mapping[str, Position], table: str) -> int | None:
    return read_at[table].version if table in read_at else None
