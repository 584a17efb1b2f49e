"""What lies in the landing zone, without opening it."""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any, NamedTuple
from urllib.parse import unquote

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from vsearch_lib.errors import UsageError
from vsearch_lib.lake.computed import computed

METADATA_NAME = r"/metadata\.(jsonl|jsonl\.gz|csv|parquet)$"
RECORD_NAME = r"\.(jsonl|jsonl\.gz|csv|parquet)$"


class LandedFile(NamedTuple):
    """A file and the day it landed on."""

    path: str
    landed_on: date


def list_files(spark: SparkSession, uri: str, dates: Sequence[date] | None) -> DataFrame | None:
    """Return path, length (bytes), modificationTime and landed_on of the files under `uri`; None where there are none.

    `dates` keeps the partitions `date=YYYY-MM-DD` it names. File contents are not read. Names that start with a dot or
    an underscore are Spark's own and are passed over.
    """
    return _listing(spark, [uri] if dates is None else [f"{uri}/date={day}" for day in dates])


def files_of_table(spark: SparkSession, uri: str, table: str, dates: Sequence[date] | None) -> list[LandedFile]:
    """Return the landed record files (JSON lines, CSV or Parquet) of `table`, in name order.

    A landing zone that has no folder for the table has nothing for it.
    """
    return _records(list_files(spark, f"{uri}/{table}", dates))


def landed_again(spark: SparkSession, paths: Sequence[str]) -> list[LandedFile]:
    """Return those of the record files `paths` that are still there, in name order."""
    return _records(_listing(spark, paths))


def _listing(spark: SparkSession, places: Sequence[str]) -> DataFrame | None:
    found = [place for place in places if exists(spark, place)]
    if not found:
        return None
    reader = spark.read.format("binaryFile").option("recursiveFileLookup", "true")
    files = reader.load([escape_glob(place) for place in found])
    # Kept: it is looked at several times, and each time would ask the file system about every file again.
    listing = computed(files.select(plain_path("path").alias("path"), "length", "modificationTime"))
    empty = _empty_files(files, listing)
    listing = listing.unionByName(spark.createDataFrame(empty, listing.schema)) if empty else listing
    return listing.withColumn("landed_on", landing_day("path", "modificationTime"))


def _records(listing: DataFrame | None) -> list[LandedFile]:
    if listing is None:
        return []
    records = listing.where(F.col("path").rlike(RECORD_NAME)).select("path", "landed_on")
    return sorted(LandedFile(row["path"], row["landed_on"]) for row in records.collect())


def plain_path(column: Column | str) -> Column:
    """Return a path in one spelling: Spark's sources write file:/a and file:///a for the same file."""
    return F.regexp_replace(column, "^file:/+", "/")


def landing_day(path: Column | str, modified_at: Column | str) -> Column:
    """Return the day of the landing partition; of a file outside of any the day it was last modified, UTC."""
    named = F.regexp_extract(path, r"/date=(\d{4}-\d{2}-\d{2})/", 1)
    # A name such as date=2026-13-99 is no day: to_timestamp gives null where a cast would fail the run.
    return F.coalesce(F.to_date(F.try_to_timestamp(named, F.lit("yyyy-MM-dd"))), F.to_date(modified_at))


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
    scanned = {row["path"] for row in listing.select("path").collect()}
    missed = {re.sub("^file:/+", "/", unquote(uri)) for uri in listed} - scanned
    return [(path, 0, _modified_at(files.sparkSession, path)) for path in sorted(missed)]


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
