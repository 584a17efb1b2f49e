"""Upkeep of a table: small files become large ones, and files that no reader can need any more are deleted."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from vsearch_lib.errors import UsageError
from vsearch_lib.lake.paths import quoted
from vsearch_lib.lake.schema import table_schema
from vsearch_lib.lake.tables import Lake

SMALL_BYTES = 16 * 2**20  # below it, opening a file costs more than reading it

# What a few rows are looked up by, where a partition is a day: sorted so, the statistics of files and row groups tell
# a reader which to skip. Z-order rewrites all of a partition, so tables whose partitions grow for ever (embeddings,
# everything unpartitioned) are only compacted: a few new rows must not cost a rewrite of the catalogue.
_LOOKED_UP_BY = {"images": "image_id", "interactions": "query_image_id"}

_RETENTION = "delta.deletedFileRetentionDuration"
_DELTAS_OWN_HOURS = 168


@dataclass(frozen=True)
class Upkeep:
    """What a table's files were, what they are, and how many were deleted that no version within retention has."""

    files_before: int
    files_after: int
    small_files_before: int
    small_files_after: int
    table_bytes: int
    files_vacuumed: int


def check_retention(*, retention_hours: int, longest_reader_hours: int) -> None:
    """Refuse a retention that deletes files from under a reader.

    Raises:
        UsageError: names both settings.
    """
    if retention_hours < longest_reader_hours:
        raise UsageError(
            f"maintenance.retention_hours={retention_hours} is less than maintenance.longest_reader_hours="
            f"{longest_reader_hours}: a reader would lose its files; raise the first or lower the second"
        )


def maintain(lake: Lake, table: str, *, retention_hours: int) -> Upkeep:
    """Merge small files of a table that exists, then delete what has been out of use for `retention_hours`.

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
    """Return partition → files, small files and bytes; the partition is None where the table has none."""
    partition = table_schema(table).partition_by
    value = F.col(partition[0]).cast("string") if partition else F.lit(None).cast("string")
    # Constant columns of each file: Parquet answers them from the footers.
    rows: DataFrame = lake.read(table).select(
        value.alias("partition"), F.col("_metadata.file_path").alias("file"), F.col("_metadata.file_size").alias("size")
    )
    files = rows.groupBy("partition", "file").agg(F.first("size").alias("size"))
    counts = files.groupBy("partition").agg(
        F.count("*").alias("files"), F.count_if(F.col("size") < SMALL_BYTES).alias("small"), F.sum("size").alias("size")
    )
    return {row["partition"]: (row["files"], row["small"], row["size"]) for row in counts.collect()}


def _optimize(lake: Lake, table: str, crowded: list[str | None]) -> None:
    """Merge the files of the crowded partitions. Others stay as they are: a Z-order never finds nothing to do."""
    partition, order = table_schema(table).partition_by, _LOOKED_UP_BY.get(table)
    values = ", ".join("'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'" for value in crowded if value)
    where = f"WHERE CAST(`{partition[0]}` AS STRING) IN ({values})" if partition else ""
    by = f"ZORDER BY (`{order}`)" if order else ""
    # Without the setting a Z-order sorts rows into files and not within them, which is nothing where a day is a file.
    with _settings(lake.spark, {"spark.databricks.io.skipping.mdc.sortWithinFiles": "true"} if order else {}):
        lake.spark.sql(f"OPTIMIZE delta.{quoted(lake.path(table))} {where} {by}")


def _vacuum(lake: Lake, table: str, retention_hours: int) -> int:
    """Delete the files that have been in no version for `retention_hours`; return how many."""
    spark, name = lake.spark, f"delta.{quoted(lake.path(table))}"
    _set_retention(spark, name, retention_hours)
    settings = {
        # Delta lists with as many tasks as this, 10,000 unless told: a minute of nothing on a small table.
        "spark.sql.sources.parallelPartitionDiscovery.parallelism": str(spark.sparkContext.defaultParallelism),
        # Two commits a call, even of nothing; a table's version is to say that its content moved. Metrics have it.
        "spark.databricks.delta.vacuum.logging.enabled": "false",
    }
    with _settings(spark, settings):
        # The directories of change data are listed too, and stay.
        unused = spark.sql(f"VACUUM {name} DRY RUN").where("path LIKE '%.parquet' OR path LIKE '%.bin'").count()
        if unused:
            spark.sql(f"VACUUM {name}")
    return unused


def _set_retention(spark: SparkSession, name: str, hours: int) -> None:
    """Make the retention a property of the table, where it is not yet.

    VACUUM's own RETAIN is ignored by Delta 4.3, and never kept more than the property says: the log forgets by it which
    files were removed when. So Delta's check of RETAIN against the property has nothing to refuse, and stays on.
    """
    detail = spark.sql(f"DESCRIBE DETAIL {name}").select("properties").head(1)[0]
    wanted = f"interval {hours} hours"
    if detail["properties"].get(_RETENTION, f"interval {_DELTAS_OWN_HOURS} hours") != wanted:
        spark.sql(f"ALTER TABLE {name} SET TBLPROPERTIES ('{_RETENTION}' = '{wanted}')")


@contextmanager
def _settings(spark: SparkSession, values: Mapping[str, str]) -> Iterator[None]:
    """Set Spark settings for one call, and put back what was there."""
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
