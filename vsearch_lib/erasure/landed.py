"""What lands about users and images whose data was erased: known by the hash of the id, never by the id."""

from collections.abc import Mapping

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F


def with_erased(rows: DataFrame, about: Mapping[str, str], erasures: DataFrame) -> DataFrame:
    """Add `_erased`: whether a column that `about` names (column → user or image) holds an id of `erasures`."""
    if erasures.isEmpty():
        return rows.withColumn("_erased", F.lit(False))
    erased: Column = F.lit(False)
    for column, kind in about.items():
        ids = erasures.where(F.col("kind") == kind).select(F.col("id_sha256").alias(f"_{column}"))
        rows = rows.join(F.broadcast(ids), F.sha2(column, 256) == F.col(f"_{column}"), "left")
        erased = erased | F.col(f"_{column}").isNotNull()
    return rows.withColumn("_erased", erased).drop(*(f"_{column}" for column in about))
