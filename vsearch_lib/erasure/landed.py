"""Landed rows about users and images whose data was erased: they are known by the hash of the id, not by the id."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from vsearch_lib.lake import TableSchema


def with_erased(rows: DataFrame, schema: TableSchema, erasures: DataFrame) -> DataFrame:
    """Add `_erased`: whether a column of `rows` that names a user or an image by `schema` has an id in `erasures`."""
    if erasures.isEmpty():
        return rows.withColumn("_erased", F.lit(False))
    erased: Column = F.lit(False)
    for column, kind in schema.naming.items():
        hashed = f"_{column.name}"
        ids = erasures.where(F.col("kind") == kind).select(F.col("id_sha256").alias(hashed))
        rows = rows.join(F.broadcast(ids), F.sha2(column.name, 256) == F.col(hashed), "left")
        erased = erased | F.col(hashed).isNotNull()
    return rows.withColumn("_erased", erased).drop(*(f"_{column.name}" for column in schema.naming))
