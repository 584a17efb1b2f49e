"""Conditions that match the keys of new rows (alias `new`) with those of stored rows (alias `old`)."""

import operator
from collections.abc import Iterable
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from vsearch_lib.lake.schema import TableSchema


def same_key(schema: TableSchema) -> Column:
    """Return the condition that `old` and `new` have the same key."""
    return reduce(operator.and_, (F.col(f"old.`{n}`") == F.col(f"new.`{n}`") for n in schema.key))


def possible_matches(schema: TableSchema, rows: DataFrame) -> tuple[Column, int]:
    """Return a condition on `old` that holds for every stored row whose key is in `rows`, and the number of `rows`.

    The condition lists the values of partition columns and gives the range of the other key columns, so that Delta
    skips files outside them.
    """
    partitions = [name for name in schema.partition_by if name in schema.key]
    others = [name for name in schema.key if name not in partitions]
    wanted = [F.collect_set(name).alias(name) for name in partitions]
    wanted += [F.struct(F.min(name).alias("low"), F.max(name).alias("high")).alias(name) for name in others]
    seen = rows.agg(*wanted, F.count("*").alias("_rows")).collect()[0]
    keys = [F.col(f"old.`{name}`").isin(seen[name]) for name in partitions]
    keys += [F.col(f"old.`{name}`").between(seen[name]["low"], seen[name]["high"]) for name in others]
    return reduce(operator.and_, keys), seen["_rows"]


def same(columns: Iterable[str]) -> str:
    """Return the SQL condition that `old` and `new` have the same values in `columns`."""
    return " AND ".join(f"new.`{name}` <=> old.`{name}`" for name in columns)
