"""What lies in the landing zone, without opening it."""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

import pyarrow as pa
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from vsearch_lib.errors import UsageError
from vsearch_lib.lake.paths import escape_glob

METADATA_NAME = r"/metadata\.(jsonl|jsonl\.gz|csv|parquet)$"
RECORD_NAME = r"\.(jsonl|jsonl\.gz|csv|parquet)$"

# How Hadoop spells what it knows of a file. The path comes first and matches greedily.
_STATUS = re.compile(
    r"\w+\{path=(?P<path>.*); isDirectory=false; length=(?P<length>\d+); .*?modification_time=(?P<modified>\d+); ",
    re.DOTALL,
)
_LISTED = pa.schema([("path", pa.string()), ("length", pa.int64()), ("modificationTime", pa.timestamp("us", "UTC"))])


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
    listed = _listed(reader.load([escape_glob(place) for place in found]))
    # The driver has the list already: a scan would ask about every file again, in a task for every few.
    listing = spark.createDataFrame(pa.Table.from_pylist(listed, schema=_LISTED))
    listing = listing.withColumn("path", plain_path("path"))
    return listing.withColumn("landed_on", landing_day("path", "modificationTime"))


def _listed(files: DataFrame) -> list[dict[str, object]]:
    """Return what Spark found as it made `files`; those without a byte too, which its scans leave out."""
    index = files._jdf.queryExecution().analyzed().collectLeaves().head().relation().location()
    # In one text: to ask for each fact of each file takes a thousand times as long.
    found = (_STATUS.match(status) for status in index.allFiles().mkString("\0").split("\0"))
    return [
        {
            "path": status["path"],
            "length": int(status["length"]),
            "modificationTime": datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=int(status["modified"])),
        }
        for status in found
        if status
    ]


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


def _filesystem(spark: SparkSession, uri: str) -> tuple[Any, Any]:
    """Return Hadoop's filesystem and path of `uri`, whatever its scheme."""
    jvm = spark.sparkContext._jvm
    if jvm is None:
        raise UsageError("no Spark driver is running in this process")
    path = jvm.org.apache.hadoop.fs.Path(uri)
    return path.getFileSystem(spark.sparkContext._jsc.hadoopConfiguration()), path
