"""The only writer of Delta: idempotent upserts and partition replacements under the schema of each table."""

import operator
import random
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import reduce
from typing import Any

# Importing it makes conflicts raise the exceptions below, not Java's.
import delta.exceptions.captured  # noqa: F401
from delta.exceptions import (
    ConcurrentAppendException,
    ConcurrentDeleteDeleteException,
    ConcurrentDeleteReadException,
    ConcurrentTransactionException,
    ConcurrentWriteException,
    MetadataChangedException,
    ProtocolChangedException,
)
from delta.tables import DeltaTable
from pyspark.errors import AnalysisException
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from vsearch_lib.errors import SchemaMismatch, WriteConflict
from vsearch_lib.lake.keys import possible_matches, same, same_key
from vsearch_lib.lake.schema import TableSchema, table_schema
from vsearch_lib.spark.checkpoint import checkpointed

_ATTEMPTS = 8
_CONFLICTS = (
    ConcurrentAppendException,
    ConcurrentDeleteDeleteException,
    ConcurrentDeleteReadException,
    ConcurrentTransactionException,
    ConcurrentWriteException,
    MetadataChangedException,
    ProtocolChangedException,
)

# A concurrent run has made the table's folder, but not its first commit.
_BEING_CREATED = ("DELTA_TABLE_NOT_FOUND", "DELTA_CREATE_TABLE_WITH_NON_EMPTY_LOCATION")


class Lake:
    """The tables under one URI, read and written by one run.

    Every commit carries the run's id in Delta's user metadata. A write that would change nothing makes no commit, so
    a new version of a table means that its content changed.

    Attributes:
        versions_read: table → its version when this run first read it.
        versions_written: table → its version after this run's last commit.
    """

    def __init__(self, spark: SparkSession, uri: str, run_id: str) -> None:
        self.spark = spark
        self.uri = uri
        self.run_id = run_id
        self.versions_read: dict[str, int] = {}
        self.versions_written: dict[str, int] = {}
        spark.conf.set("spark.databricks.delta.commitInfo.userMetadata", run_id)

    def path(self, table: str) -> str:
        """The path or URI of `table`."""
        return f"{self.uri}/{table}"

    def exists(self, table: str) -> bool:
        """Whether `table` has already been written."""
        return bool(DeltaTable.isDeltaTable(self.spark, self.path(table)))

    def read(self, table: str, *, version: int | None = None) -> DataFrame:
        """Return `table` with the columns of its schema, as it is now or as it was at `version`.

        The result is empty if the table has not been written yet.

        Raises:
            SchemaMismatch: the stored table lacks a column.
        """
        rows = self._load(table, version)
        if table not in self.versions_read and self.exists(table):
            self.versions_read[table] = self._latest(table) if version is None else version
        return rows

    def version(self, table: str) -> int | None:
        """Return the table's latest Delta version, or None if it has not been written yet."""
        return self._latest(table) if self.exists(table) else None

    def committed_at(self, table: str) -> datetime:
        """Return when the latest version of a stored table was written."""
        return datetime.fromtimestamp(self._snapshot(table).timestamp() / 1000, UTC)

    def table_id(self, table: str) -> str:
        """Return Delta's id of a stored table: a table that is created again at the same path has another id."""
        return str(self._snapshot(table).metadata().id())

    def read_changes(self, table: str, first: int, last: int) -> DataFrame:
        """Return what the versions from `first` to `last` changed, as rows of Delta's change data feed."""
        feed = self.spark.read.format("delta").option("readChangeFeed", "true")
        return feed.option("startingVersion", first).option("endingVersion", last).load(self.path(table))

    def upsert(
        self, table: str, rows: DataFrame, *, when: str | None = None, assign: Mapping[str, str] | None = None
    ) -> int:
        """Insert rows with new keys, update stored rows for which `when` holds, and return how many rows were written.

        Other stored rows and their files do not change. `rows` must hold each key once: only the caller can know which
        of two rows is right. A nullable column that `rows` lacks is null in a new row and unchanged in a stored one.
        `rows` is read more than once: checkpoint it if it is costly to compute, but never persist it, for Delta refuses
        to merge cached rows.

        Args:
            when: SQL on `old` (stored) and `new`; by default it holds if any column of `rows` differs. It is evaluated
                within the commit, so it sees what another run has written in the meantime.
            assign: column → SQL on `old` and `new`, the value that an update sets; by default an update sets the
                columns of `rows` to their new values.

        Raises:
            WriteConflict: other runs kept writing the same rows.
        """
        schema = table_schema(table)
        known = [name for name in schema.names if name in rows.columns]
        when = when or f"NOT ({same(known)})"
        assign = assign or {name: f"new.`{name}`" for name in known}
        new = self._in_schema_order(schema, rows)
        return self._commit(table, lambda: self._upsert(schema, new, when, assign))

    def insert_new(self, table: str, rows: DataFrame) -> int:
        """Insert rows with new keys and return how many; rows with known keys stay as they were first written."""
        schema = table_schema(table)
        new = self._in_schema_order(schema, rows)
        return self._commit(table, lambda: self._merge(schema, new, F.lit(True)))

    def replace(self, table: str, rows: DataFrame, where: str) -> None:
        """Replace exactly the rows that the SQL condition `where` on partition columns selects."""
        schema = table_schema(table)
        self._create_if_missing(schema)
        writer = (
            self._in_schema_order(schema, rows).write.format("delta").mode("overwrite").option("replaceWhere", where)
        )
        writer.save(self.path(table))
        self.versions_written[table] = self._latest(table)

    def delete(self, table: str, where: Column) -> int:
        """Delete the rows that `where` selects and return how many."""
        if not self.exists(table):
            return 0
        if self._load(table).where(where).isEmpty():
            return 0
        return self._commit(table, lambda: self._delete(table, where))

    def delete_keys(self, table: str, keys: DataFrame) -> int:
        """Delete the rows whose key is in `keys` (each key once) and return how many.

        If `keys` has more columns than the key, a row is deleted only if it has the same values in those too.
        """
        schema = table_schema(table)
        is_same = reduce(operator.and_, (F.col(f"old.`{n}`").eqNullSafe(F.col(f"new.`{n}`")) for n in keys.columns))

        def delete() -> int:
            reach, wanted = possible_matches(schema, keys)
            if not wanted:
                return 0
            old = self._load(table).alias("old").where(reach)
            matched = checkpointed(keys.alias("new").join(old, is_same, "left_semi"))
            if matched.isEmpty():
                return 0
            merging = self._table(table).alias("old").merge(matched.alias("new"), same_key(schema) & reach)
            return int(merging.whenMatchedDelete(condition=is_same).execute().collect()[0]["num_affected_rows"])

        return self._commit(table, delete) if self.exists(table) else 0

    def _delete(self, table: str, where: Column) -> int:
        rows = self._load(table).where(where).count()
        self._table(table).delete(where)
        return rows

    def _upsert(self, schema: TableSchema, new: DataFrame, when: str, assign: Mapping[str, str]) -> int:
        reach, rows = possible_matches(schema, new)
        if not rows:
            return 0
        created = self._create_if_missing(schema)
        old = self._load(schema.table).alias("old").where(reach)
        if created or not len(old._jdf.inputFiles()):  # from Delta's log; isEmpty would start a job
            return self._insert(schema, new, rows, reach, when, assign)
        # A MERGE that updates nothing still makes a commit, and a MERGE of only the changed rows reads less.
        joined = new.alias("new").join(old.withColumn("_stored", F.lit(1)), same_key(schema), "left")
        changed = checkpointed(joined.where(F.col("_stored").isNull() | F.expr(when)).select("new.*", "_stored"))
        count, updates = changed.agg(F.count("*"), F.count("_stored")).collect()[0]
        if not count:
            return 0
        changed = changed.drop("_stored")
        if not updates:
            return self._insert(schema, changed, count, reach, when, assign)
        return self._merge(schema, changed, reach, when, assign)

    def _insert(
        self, schema: TableSchema, new: DataFrame, rows: int, reach: Column, when: str, assign: Mapping[str, str]
    ) -> int:
        """Insert `rows` rows whose keys are not stored yet: a MERGE that only inserts reads the table once."""
        inserted = self._merge(schema, new, reach)
        if inserted == rows:
            return inserted
        # A concurrent run has written the keys of the rows that were not inserted.
        return inserted + self._commit(schema.table, lambda: self._upsert(schema, new, when, assign))

    def _merge(
        self,
        schema: TableSchema,
        rows: DataFrame,
        reach: Column,
        when: str | None = None,
        assign: Mapping[str, str] | None = None,
    ) -> int:
        """Insert rows with new keys; update the others for which `when` holds, or none if `when` is None."""
        self._create_if_missing(schema)
        values = {f"`{name}`": f"new.`{name}`" for name in schema.names}
        merging = self._table(schema.table).alias("old").merge(rows.alias("new"), same_key(schema) & reach)
        if when is not None:
            update = {f"`{name}`": value for name, value in (assign or {}).items()}
            merging = merging.whenMatchedUpdate(condition=when, set=dict(update))
        return int(merging.whenNotMatchedInsert(values=dict(values)).execute().collect()[0]["num_affected_rows"])

    def _commit(self, table: str, write: Callable[[], int]) -> int:
        """Return how many rows `write` wrote; try again from the newest state if another run committed first."""
        for attempt in range(_ATTEMPTS):
            try:
                rows = write()
                if rows:
                    self.versions_written[table] = self._latest(table)
                return rows
            except _CONFLICTS:
                time.sleep(random.uniform(0.5, 1.5) * min(2**attempt, 20))  # noqa: S311 - spreads concurrent runs, no secret
        raise WriteConflict(
            f"{self.path(table)}: other runs kept writing the same rows ({_ATTEMPTS} attempts); run this step again"
        )

    def _load(self, table: str, version: int | None = None) -> DataFrame:
        columns = table_schema(table).columns
        if not self.exists(table):
            # Spark knows that a range of zero rows is empty, and removes joins with it from the plan.
            return self.spark.range(0).select([F.lit(None).cast(c.type).alias(c.name) for c in columns])
        reader = self.spark.read.format("delta")
        if version is not None:
            reader = reader.option("versionAsOf", version)
        stored = reader.load(self.path(table))
        if missing := [column.name for column in columns if column.name not in stored.columns]:
            raise SchemaMismatch(f"{self.path(table)} has no column {', '.join(missing)}; run vsearch schema check")
        return stored.select([f"`{column.name}`" for column in columns])

    def _latest(self, table: str) -> int:
        # The table's history has it too, but takes a third of a second.
        return int(self._snapshot(table).version())

    def _snapshot(self, table: str) -> Any:
        jvm: Any = self.spark._jvm
        log = jvm.org.apache.spark.sql.delta.DeltaLog.forTable(self.spark._jsparkSession, self.path(table))
        none = jvm.scala.Option.empty()
        return log.update(False, none, none)

    def _table(self, table: str) -> DeltaTable:
        return DeltaTable.forPath(self.spark, self.path(table))

    def _in_schema_order(self, schema: TableSchema, rows: DataFrame) -> DataFrame:
        # A job may lack a nullable column that was added only to the schema.
        unknown = {c.name for c in schema.columns if c.nullable} - set(rows.columns)
        values = {c.name: F.lit(None) if c.name in unknown else F.col(f"`{c.name}`") for c in schema.columns}
        return rows.select([values[c.name].cast(c.type).alias(c.name) for c in schema.columns])

    def _create_if_missing(self, schema: TableSchema) -> bool:
        """Create the table if it is missing, and return whether it was."""
        for attempt in range(_ATTEMPTS):
            if self.exists(schema.table):
                return attempt > 0
            try:
                self._create(schema)
            except AnalysisException as error:
                if not any(reason in str(error) for reason in _BEING_CREATED):
                    raise
                time.sleep(0.5)
        raise WriteConflict(
            f"{self.path(schema.table)}: this table cannot be created: another run is creating it, or the folder holds "
            "files that are not a table; run this step again, or look into the folder"
        )

    def _create(self, schema: TableSchema) -> None:
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
