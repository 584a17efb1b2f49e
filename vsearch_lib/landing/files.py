"""What lies in the landing zone, without opening it."""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import unquote

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from vsearch_lib.errors import UsageError

METADATA_NAME = r"/metadata\.(jsonl|jsonl\.gz|csv|parquet)$"


def list_files(spark: SparkSession, uri: str, dates: Sequence[date] | None) -> DataFrame | None:
    """Return path, length (bytes) and modificationTime of the files under `uri`, or None where there are none.

    `dates` keeps the partitions `date=YYYY-MM-DD` it names. File contents are not read. Names that start with a dot or
    an underscore are Spark's own and are passed over.
    """
    roots = [uri] if dates is None else [f"{uri}/date={day}" for day in dates]
    roots = [root for root in roots if exists(spark, root)]
    if not roots:
        return None
    reader = spark.read.format("binaryFile").option("recursiveFileLookup", "true")
    files = reader.load([escape_glob(root) for root in roots])
    listing = files.select("path", "length", "modificationTime")
    empty = _empty_files(files, listing)
    return listing.unionByName(spark.createDataFrame(empty, listing.schema)) if empty else listing


def files_of_table(spark: SparkSession, uri: str, table: str, dates: Sequence[date] | None) -> list[str]:
    """Return the landed record files (JSON lines or CSV) of `table`, in name order.

    A landing zone that has no folder for the table has nothing for it.
    """
    listing = list_files(spark, f"{uri}/{table}", dates)
    if listing is None:
        return []
    records = listing.where(F.col("path").rlike(r"\.(jsonl|jsonl\.gz|csv|parquet)$"))
    return sorted(row.path for row in records.select("path").collect())


def exists(spark: SparkSession, uri: str) -> bool:
    """Whether a file or folder lies at `uri`, on any filesystem that Spark knows."""
    filesystem, path = _filesystem(spark, uri)
    return bool(filesystem.exists(path))


def escape_glob(path: str) -> str:
    """Return `path` as Spark's readers take it, who would read some characters of a name as a pattern."""
    return re.sub(r"([\\{}\[\]*?])", r"\\\1", path)


def _empty_files(files: DataFrame, listing: DataFrame) -> list[tuple[str, int, datetime]]:
    """Return the files without a byte, which Spark lists but leaves out of every scan."""
    listed = files.inputFiles()
    if len(listed) == listing.count():
        return []
    scanned = {_one_spelling(row["path"]) for row in listing.select("path").collect()}
    missed = [path for uri in listed if _one_spelling(path := unquote(uri)) not in scanned]
    return [(path, 0, _modified_at(files.sparkSession, path)) for path in missed]


def _one_spelling(path: str) -> str:
    return re.sub("^file:/+", "/", path)


def _modified_at(spark: SparkSession, uri: str) -> datetime:
    filesystem, path = _filesystem(spark, uri)
    return datetime.fromtimestamp(filesystem.getFileStatus(path).getModificationTime() / 1000, UTC)


def _filesystem(spark: SparkSession, uri: str) -> tuple[Any, Any]:
    """Return Hadoop's filesystem and path of `uri`, whatever its scheme."""
    jvm = spark.sparkContext._jvm
    if jvm is None:
        raise UsageError("no Spark driver is running in this process")
    path = jvm.org.apache.hadoop.fs.Path(uri)
    return path.getFileSystem(spark.sparkContext._jsc.hadoopConfiguration()), path
