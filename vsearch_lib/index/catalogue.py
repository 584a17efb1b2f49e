"""The rows an index is made of: images that live, with the vector of their present pixels."""

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
# Erasures are no rows, but where there are new ones files that hold erased rows must not be named again.
INPUTS = ("images", "embeddings", "erasures")


@dataclass(frozen=True)
class Changes:
    """`rows` that are new or changed (columns of ROWS, and vector); `touched` (image_id): these, and what is gone."""

    rows: DataFrame
    touched: DataFrame


def positions(lake: Lake) -> dict[str, Position]:
    """Return where the tables that an index is made from stand now."""
    found = {table: position(lake, table) for table in INPUTS}
    return {table: at for table, at in found.items() if at is not None}


def living_rows(lake: Lake, model_version: str, at: Mapping[str, Position], *, shards: int) -> DataFrame:
    """Return the columns of ROWS, vector, shard and place of every image that stood in the lake at `at`.

    Both tables are placed in shards and joined there: vectors travel once.
    """
    images = lake.read("images", version=_version(at, "images")).where(LIVING).select(_FACTS)
    placed = in_shards(embedded(lake, model_version, at), shards).drop("shard")
    return in_shards(images, shards).join(placed, ["place", "image_id", "sha256"]).drop("sha256")


def embedded(lake: Lake, model_version: str, at: Mapping[str, Position]) -> DataFrame:
    """Return image_id, sha256 and vector of every image that the model had embedded at `at`, whether it lives or not.

    Those that do not are few: the next run of embed_images takes them away.
    """
    vectors = lake.read("embeddings", version=_version(at, "embeddings"))
    return vectors.where(F.col("model_version") == model_version).select(_VECTOR)


def changed_rows(
    lake: Lake, model_version: str, since: Mapping[str, Position], until: Mapping[str, Position]
) -> Changes | None:
    """Return what changed between two places in the tables' histories, None where that cannot be said any more."""
    feeds = {}
    for table in ("images", "embeddings"):
        feed = changed(lake, table, since.get(table), until[table]) if table in until else None
        if feed is None:
            return None
        feeds[table] = feed
    of_model = F.col("model_version") == model_version
    images = checkpointed(feeds["images"].select(*_FACTS, (F.expr(LIVING) & ~F.col("gone")).alias("holds")))
    vectors = checkpointed(feeds["embeddings"].where(of_model).select(*_VECTOR, (~F.col("gone")).alias("holds")))
    touched = checkpointed(images.select("image_id").union(vectors.select("image_id")).distinct())
    known = lake.read("images", version=until["images"].version).where(LIVING).select(_FACTS)
    embedded = lake.read("embeddings", version=until["embeddings"].version).where(of_model).select(_VECTOR)
    living = _holding(images, known, touched)
    rows = living.join(_holding(vectors, embedded, living.select("image_id")), ["image_id", "sha256"]).drop("sha256")
    return Changes(checkpointed(rows), touched)


def _holding(feed: DataFrame, table: DataFrame, wanted: DataFrame) -> DataFrame:
    """Return the rows of `wanted` images: from the feed, and of those that it does not name from the table."""
    held = feed.where("holds").drop("holds")
    unnamed = checkpointed(wanted.join(feed, "image_id", "left_anti"))
    # A new image is new in both feeds, and most changes are new images: then no table is read.
    if unnamed.isEmpty():
        return held
    return held.unionByName(table.join(unnamed, "image_id", "left_semi"))


def _version(at: Mapping[str, Position], table: str) -> int | None:
    return at[table].version if table in at else None
