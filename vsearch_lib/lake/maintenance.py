"""Upkeep of a table: merge small files, and delete files that no reader can need any more."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from vsearch_lib.errors import UsageError
from vsearch_lib.lake.paths import quoted
from vsearch_lib.lake.schema import table_schema
from vsearch_lib.lake.tables import Lake

SMALL_BYTES = 16 * 2**20  # opening a file smaller than this costs more than reading it

# The column by which readers look up a few rows, for tables with a partition a day. If rows are sorted by it, the
# statistics of files and row groups show a reader which of them to skip. Z-order rewrites a whole partition, so tables
# whose partitions grow for ever (embeddings, all tables without partitions) are only compacted: a few new rows must not
# cost a rewrite of the catalogue.
_LOOKED_UP_BY = {"images": "image_id", "interactions": "query_image_id"}

_RETENTION = "delta.deletedFileRetentionDuration"
_DELTA_DEFAULT_HOURS = 168


@dataclass(frozen=True)
class Upkeep:
    """A table's files before and after, and how many were deleted because no version within the retention uses them."""

    files_before: int
    files_after: int
    small_files_before: int
    small_files_after: int
    table_bytes: int
    files_vacuumed: int


def check_retention(*, retention_hours: int, longest_reader_hours: int) -> None:
    """Refuse a retention that would delete files while a reader needs them.

    Raises:
        UsageError: names both settings.
    """
    if retention_hours < longest_reader_hours:
        raise UsageError(
            f"maintenance.retention_hours={retention_hours} is less than maintenance.longest_reader_hours="
            f"{longest_reader_hours}: a reader would lose its files; raise the first or lower the second"
        )


def maintain(lake: Lake, table: str, *, retention_hours: int) -> Upkeep:
    """Merge small files of a table that exists, then delete files that have been out of use for `retention_hours`.

    A table with nothing to merge and nothing to delete gets no commit.
    """
    before = _file_counts(lake, table)
    crowded = [value for value, (_, small, _) in before.items() if small > 1]
    if crowded:
        _optimize(lake, table, crowded)
    after = _file_counts(lake, table) if crowded else before
    vacuumed = _vacuum(lake, table, retention_hours)
    files_before, small_before, _ = map(sum, zip(*before.values(), strict=True)) if before else (0, 0, 0)
    files_after, small_after, size = map(sum, zip(*after.values(), strict=True)) if after else (0, 0, 0)
    return Upkeep(files_before, files_after, small_before, small_after, size, vacuumed)


def _file_counts(lake: Lake, table: str) -> dict[str | None, tuple[int, int, int]]:
    """Return partition → files, small files and bytes; the partition is None if the table has no partitions."""
    partition = table_schema(table).partition_by
    value = F.col(partition[0]).cast("string") if partition else F.lit(None).cast("string")
    # These columns are constant within a file: Parquet reads them from the footers.
    rows: DataFrame = lake.read(table).select(
        value.alias("partition"), F.col("_metadata.file_path").alias("file"), F.col("_metadata.file_size").alias("size")
    )
    files = rows.groupBy("partition", "file").agg(F.first("size").alias("size"))
    counts = files.groupBy("partition").agg(
        F.count("*").alias("files"), F.count_if(F.col("size") < SMALL_BYTES).alias("small"), F.sum("size").alias("size")
    )
    return {row["partition"]: (row["files"], row["small"], row["size"]) for row in counts.collect()}


def _optimize(lake: Lake, table: str, crowded: list[str | None]) -> None:
    """Merge the files of the crowded partitions only: a Z-order would rewrite every partition that it is given."""
    partition, order = table_schema(table).partition_by, _LOOKED_UP_BY.get(table)
    values = ", ".join("'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'" for value in crowded if value)
    where = f"WHERE CAST(`{partition[0]}` AS STRING) IN ({values})" if partition else ""
    by = f"ZORDER BY (`{order}`)" if order else ""
    # Without this setting a Z-order sorts rows into files but not within them: no effect if a day is one file.
    with _settings(lake.spark, {"spark.databricks.io.skipping.mdc.sortWithinFiles": "true"} if order else {}):
        lake.spark.sql(f"OPTIMIZE delta.{quoted(lake.path(table))} {where} {by}")


def _vacuum(lake: Lake, table: str, retention_hours: int) -> int:
    """Delete the files that have been in no version for `retention_hours`; return how many."""
    spark, name = lake.spark, f"delta.{quoted(lake.path(table))}"
    _set_retention(spark, name, retention_hours)
    settings = {
        # Delta lists files with this many tasks, by default 10,000: a wasted minute on a small table.
        "spark.sql.sources.parallelPartitionDiscovery.parallelism": str(spark.sparkContext.defaultParallelism),
        # Logging makes two commits a call, even if nothing is deleted; but a new version must mean that the content
        # changed. `metrics` has the number of deleted files.
        "spark.databricks.delta.vacuum.logging.enabled": "false",
    }
    with _settings(spark, settings):
        # The dry run also lists directories of change data; those stay.
        unused = spark.sql(f"VACUUM {name} DRY RUN").where("path LIKE '%.parquet' OR path LIKE '%.bin'").count()
        if unused:
            spark.sql(f"VACUUM {name}")
    return unused


def _set_retention(spark: SparkSession, name: str, hours: int) -> None:
    """Make the retention a property of the table, if it is not one yet.

    Delta 4.3 ignores the RETAIN of VACUUM, and RETAIN never kept files longer than the property: after that time
    the log forgets which files were removed when. So Delta's check of RETAIN against the property stays on: it has
    nothing to refuse.
    """
    detail = spark.sql(f"DESCRIBE DETAIL {name}").select("properties").head(1)[0]
    wanted = f"interval {hours} hours"
    if detail["properties"].get(_RETENTION, f"interval {_DELTA_DEFAULT_HOURS} hours") != wanted:
        spark.sql(f"ALTER TABLE {name} SET TBLPROPERTIES ('{_RETENTION}' = '{wanted}')")


@contextmanager
def _settings(spark: SparkSession, values: Mapping[str, str]) -> Iterator[None]:
    """Set Spark settings for one call, then restore the old ones."""
    before = {key: spark.conf.get(key, None) for key in values}
    for key, value in values.items():
        spark.conf.set(key, value)
    try:
        yield
    finally:
        for key, old in before.items():
            if old is None:
                spark.conf.unset(key)
            else:
                spark.conf.set(key, old)
