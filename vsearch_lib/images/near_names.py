"""Metadata rows that spell the name of their file differently from the disk.

In names from a Mac, é is two characters; Windows writes sub\\c.jpg; other programs write ./c.jpg. Such spellings are
one name. Names that differ in case are two names: such a row is refused, and its message names the similar file.
"""

import posixpath
import re
import unicodedata
from collections.abc import Iterable, Iterator

import pyarrow as pa
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from vsearch_lib.images.landed import FILE
from vsearch_lib.spark.checkpoint import checkpointed

UNMATCHED = "named IS NOT NULL AND source_uri IS NULL"  # metadata rows whose file did not land
_FILE_FACTS = [*FILE, "file_landed_on"]


def spelling(path: str) -> str:
    """Return the normal spelling of a path: all spellings of one file have the same."""
    scheme, below = re.fullmatch(r"([a-z0-9]+://)?(.*)", path, re.DOTALL).groups("")  # type: ignore[union-attr]
    return str(scheme) + posixpath.normpath(unicodedata.normalize("NFC", str(below)).replace("\\", "/"))


def with_near_names(landed: DataFrame) -> DataFrame:
    """Join each row of `landed` (from `landed_images`) that has no file to the file with the same normal spelling.

    If several files have it, or a name differs in case only, the row is refused and its message has the similar name.
    That file is refused too, and so is a file with that name in a folder above, because the row may mean it.
    """
    rows = _spelled(landed.where(UNMATCHED).select("source", "line", "reason", F.col("named").alias("path")))
    files = _spelled(landed.where("source_uri IS NOT NULL").select(F.col("source_uri").alias("path")).distinct())
    files = files.withColumnsRenamed({"path": "near_uri", "spelling": "near_spelling"})
    each_row = Window.partitionBy("source", "line")
    same = F.when(F.col("spelling") == F.col("near_spelling"), 1)
    pairs = (
        rows.withColumn("near", F.explode(_near_paths(F.lower("spelling"))))
        .join(files, F.col("near") == F.lower("near_spelling"))
        .withColumn("is_same", same.isNotNull() & (F.count(same).over(each_row) == 1))
        .withColumn("has_same", F.max("is_same").over(each_row))
        .where("is_same OR NOT has_same")
    )
    pairs = checkpointed(pairs.select("source", "line", "near_uri", "is_same"))
    if pairs.isEmpty():
        return landed
    return _without_named(_joined(landed, pairs), pairs)


def _near_paths(path: Column) -> Column:
    """Return the path, and the paths with the same file name in each folder above."""
    parts = F.split(path, "/")
    name = F.element_at(parts, -1)
    return F.transform(
        F.sequence(F.lit(1), F.size(parts) - 1),
        lambda length: F.concat(F.array_join(F.slice(parts, 1, length), "/"), F.lit("/"), name),
    )


def _joined(landed: DataFrame, pairs: DataFrame) -> DataFrame:
    facts = landed.where("source_uri IS NOT NULL").select(
        F.col("source_uri").alias("near_uri"), *(F.col(n).alias(f"near_{n}") for n in _FILE_FACTS)
    )
    one_each = pairs.groupBy("source", "line").agg(
        F.min("near_uri").alias("near_uri"), F.max("is_same").alias("is_same")
    )
    joined = landed.join(one_each.join(facts.distinct(), "near_uri"), ["source", "line"], "left")
    has_file = F.coalesce(F.col("is_same"), F.lit(False))
    missing = F.coalesce(F.col("reason") == "missing_file", F.lit(False))
    near = F.concat(
        F.lit("the file that the row names did not land; similar name: "),
        F.regexp_extract("near_uri", r"([^/]*)\z", 1),
    )
    return joined.withColumns(
        {
            **{name: F.when(has_file, F.col(f"near_{name}")).otherwise(F.col(name)) for name in _FILE_FACTS},
            "reason": F.when(~(has_file & missing), F.col("reason")),
            "message": F.when(has_file & missing, None)
            .when(F.col("near_uri").isNotNull() & missing, near)
            .otherwise(F.col("message")),
        }
    ).select(landed.columns)


def _without_named(landed: DataFrame, pairs: DataFrame) -> DataFrame:
    """Drop statements without metadata for files that a row names; refuse those for files with a similar name."""
    named = pairs.groupBy("near_uri").agg(
        F.max("is_same").alias("is_named"), F.min(F.concat_ws(":", "source", "line")).alias("by")
    )
    own = (F.col("source_uri") == F.col("near_uri")) & (F.col("source") == F.col("source_uri")) & (F.col("line") == 0)
    joined = landed.join(named, own, "left").where("NOT coalesce(is_named, false)")
    is_similar = F.col("near_uri").isNotNull()
    row = F.regexp_extract("by", r"([^/]*)\z", 1)
    message = F.concat(F.lit("no metadata row names this file; a row has a similar name: "), row)
    return joined.withColumns(
        {
            "reason": F.when(is_similar, "missing_metadata").otherwise(F.col("reason")),
            "message": F.when(is_similar, message).otherwise(F.col("message")),
        }
    ).select(landed.columns)


def _spelled(rows: DataFrame) -> DataFrame:
    """Add `spelling` of `path`."""
    columns = ", ".join(f"{field.name} {field.dataType.simpleString()}" for field in rows.schema)

    def spell(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            spelled = pa.array([spelling(path) for path in batch.column("path").to_pylist()], pa.string())
            yield pa.RecordBatch.from_arrays([*batch.columns, spelled], [*batch.schema.names, "spelling"])

    return rows.mapInArrow(spell, f"{columns}, spelling string")
