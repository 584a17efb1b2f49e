"""What lies in the landing zone, without opening it."""

import re
from collections.abc import Sequence
from datetime import date

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
    return reader.load([escape_glob(root) for root in roots]).select("path", "length", "modificationTime")


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
    jvm = spark.sparkContext._jvm
    if jvm is None:
        raise UsageError("no Spark driver is running in this process")
    path = jvm.org.apache.hadoop.fs.Path(uri)
    filesystem = path.getFileSystem(spark.sparkContext._jsc.hadoopConfiguration())
    return bool(filesystem.exists(path))


def escape_glob(path: str) -> str:
    """Return `path` as Spark's readers take it, who would read some characters of a name as a pattern."""
    return re.sub(r"([\\{}\[\]*?])", r"\\\1", path)
