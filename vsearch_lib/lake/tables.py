"""The only writer of Delta: idempotent upserts and partition replacements under the schema of each table."""

import operator
from functools import reduce

from delta.tables import DeltaMergeBuilder, DeltaTable
from pyspark import StorageLevel
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from vsearch_lib.lake.schema import TableSchema, table_schema


class Lake:
    """The tables under one URI, read and written by one run.

    Every commit carries the run's id in Delta's user metadata. A write that would change nothing makes no commit, so
    that a table's version says whether its content moved.
    """

    def __init__(self, spark: SparkSession, uri: str, run_id: str) -> None:
        self.spark = spark
        self.uri = uri
        self.run_id = run_id
        spark.conf.set("spark.databricks.delta.commitInfo.userMetadata", run_id)

    def path(self, table: str) -> str:
        """Where `table` lies."""
        return f"{self.uri}/{table}"

    def exists(self, table: str) -> bool:
        """Whether `table` has been written yet."""
        return bool(DeltaTable.isDeltaTable(self.spark, self.path(table)))

    def read(self, table: str) -> DataFrame:
        """Return `table` as it is now; empty, with its columns, where it has not been written yet."""
        if not self.exists(table):
            # Spark knows that a range of nothing is empty, and plans joins with it away.
            columns = [F.lit(None).cast(c.type).alias(c.name) for c in table_schema(table).columns]
            return self.spark.range(0).select(columns)
        return self.spark.read.format("delta").load(self.path(table))

    def version(self, table: str) -> int | None:
        """Return the table's latest Delta version, or None where it has not been written yet."""
        if not self.exists(table):
            return None
        history = DeltaTable.forPath(self.spark, self.path(table)).history(1).select("version").first()
        return int(history[0]) if history else None

    def upsert(self, table: str, rows: DataFrame) -> None:
        """Insert rows of new keys, update rows whose content differs, leave the others and their files alone.

        `rows` holds each key once: which of two rows is right is the caller's to know.
        """
        schema = table_schema(table)
        if self.exists(table):
            # A MERGE that updates nothing still makes a commit; and it reads less when it is told only what moved.
            same = reduce(operator.and_, (F.col(f"old.`{n}`").eqNullSafe(F.col(f"new.`{n}`")) for n in schema.names))
            rows = self._in_order(schema, rows).alias("new").join(self.read(table).alias("old"), same, "left_anti")
        rows = rows.persist(StorageLevel.DISK_ONLY)
        if not rows.isEmpty():
            self._merge(schema, rows).whenMatchedUpdateAll().whenNotMatchedInsertAll().execute()
        rows.unpersist()

    def insert_new(self, table: str, rows: DataFrame) -> None:
        """Insert rows of new keys; rows of known keys stay as they were first written."""
        schema = table_schema(table)
        self._merge(schema, rows).whenNotMatchedInsertAll().execute()

    def replace(self, table: str, rows: DataFrame, where: str) -> None:
        """Replace exactly the rows that the SQL condition `where` on partition columns selects."""
        schema = table_schema(table)
        self._create_if_missing(schema)
        (
            self._in_order(schema, rows)
            .write.format("delta")
            .mode("overwrite")
            .option("replaceWhere", where)
            .save(self.path(table))
        )

    def delete_keys(self, table: str, keys: DataFrame) -> None:
        """Delete the rows whose key stands in `keys` (the key's columns, each key once)."""
        schema = table_schema(table)
        same_key = reduce(operator.and_, (F.col(f"old.`{n}`") == F.col(f"gone.`{n}`") for n in schema.key))
        target = DeltaTable.forPath(self.spark, self.path(table)).alias("old")
        target.merge(keys.alias("gone"), same_key).whenMatchedDelete().execute()

    def _merge(self, schema: TableSchema, rows: DataFrame) -> DeltaMergeBuilder:
        self._create_if_missing(schema)
        same_key = reduce(operator.and_, (F.col(f"old.`{n}`") == F.col(f"new.`{n}`") for n in schema.key))
        target = DeltaTable.forPath(self.spark, self.path(schema.table)).alias("old")
        return target.merge(self._in_order(schema, rows).alias("new"), same_key)

    def _in_order(self, schema: TableSchema, rows: DataFrame) -> DataFrame:
        return rows.select([F.col(_quoted(c.name)).cast(c.type) for c in schema.columns])

    def _create_if_missing(self, schema: TableSchema) -> None:
        if self.exists(schema.table):
            return
        builder = DeltaTable.createIfNotExists(self.spark).location(self.path(schema.table)).comment(schema.comment)
        for column in schema.columns:
            builder = builder.addColumn(column.name, column.type, nullable=column.nullable, comment=column.comment)
        for name, condition in schema.checks.items():
            builder = builder.property(f"delta.constraints.{name}", condition)
        for name, value in schema.properties.items():
            builder = builder.property(name, value)
        if schema.partition_by:
            builder = builder.partitionedBy(*schema.partition_by)
        builder.execute()


def _quoted(name: str) -> str:
    return f"`{name}`"
