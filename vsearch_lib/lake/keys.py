"""How the keys of new rows meet those of stored ones, `new` and `old` by their aliases."""

import operator
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from vsearch_lib.lake.schema import TableSchema


def same_key(schema: TableSchema) -> Column:
    """Return the condition that `old` and `new` are rows of one key."""
    return reduce(operator.and_, (F.col(f"old.`{n}`") == F.col(f"new.`{n}`") for n in schema.key))


def possible_matches(schema: TableSchema, rows: DataFrame) -> tuple[Column, int]:
    """Return a condition on `old`, where `rows` may meet stored ones, and how many rows there are.

    It names partition columns by value and of the other key columns the range, so that Delta skips what lies
    outside.
    """
    partitions = [name for name in schema.partition_by if name in schema.key]
    others = [name for name in schema.key if name not in partitions]
    wanted = [F.collect_set(name).alias(name) for name in partitions]
    wanted += [F.struct(F.min(name).alias("low"), F.max(name).alias("high")).alias(name) for name in others]
    found = rows.agg(*wanted, F.count("*").alias("_rows")).collect()[0]
    keys = [F.col(f"old.`{name}`").isin(found[name]) for name in partitions]
    keys += [F.col(f"old.`{name}`").between(found[name]["low"], found[name]["high"]) for name in others]
    return reduce(operator.and_, keys), found["_rows"]
