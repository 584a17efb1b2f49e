"""Landed records, whatever their file format, as one JSON object a line that knows where it came from."""

from collections.abc import Sequence
from functools import reduce
from typing import cast

from pyspark.sql import Column, DataFrame, SparkSession, Window
from pyspark.sql import functions as F
from pyspark.sql.types import BooleanType, NumericType, StructType

from vsearch_lib.landing.files import escape_glob

CORRUPT = "_corrupt"
_CSV = r"\.csv$"


def read_lines(spark: SparkSession, paths: Sequence[str]) -> DataFrame:
    """Return source, block, row, text: a row a record of the JSON-lines, CSV or Parquet files `paths`.

    `row` counts within `block` (a split of the file), so that `number_lines` can tell the line in the file without
    every run paying for it.
    """
    parts = []
    text_paths = [path for path in paths if ".jsonl" in path.rsplit("/", 1)[-1]]
    if text_paths:
        parts.append(_located(spark.read.text([escape_glob(path) for path in text_paths]), F.col("value")))
    for path in paths:
        if path.endswith(".csv"):
            # Quotes within quotes are doubled, as RFC 4180 and every spreadsheet write them.
            table = spark.read.csv(escape_glob(path), header=True, escape='"')
            parts.append(_located(table, F.to_json(F.struct(*(f"`{c}`" for c in table.columns)))))
        elif path.endswith(".parquet"):
            table = spark.read.parquet(escape_glob(path))
            parts.append(_located(table, F.to_json(F.struct(*(f"`{c}`" for c in table.columns)))))
    empty = spark.createDataFrame([], "source string, block bigint, row bigint, text string")
    return reduce(DataFrame.unionByName, parts) if parts else empty


def parse(lines: DataFrame, fields: str) -> DataFrame:
    """Add `fields` (DDL) of each line's object as columns; `_corrupt` holds the text of a line that does not fit."""
    # Spark's parser stops where a value ends; here it must come past the line's own object, the only one in its list.
    wrapped = F.concat(F.lit('{"rows":['), _typed(fields), F.lit('],"ended":true}'))
    schema = f"rows array<struct<{fields}>>, ended boolean, {CORRUPT} string"
    options = {"mode": "PERMISSIVE", "columnNameOfCorruptRecord": CORRUPT}
    full = lines.where(F.length(F.trim("text")) > 0)
    parsed = full.withColumn("_parsed", F.from_json(wrapped, schema, options))
    fits = F.expr(
        f"_parsed.{CORRUPT} IS NULL AND _parsed.ended AND size(_parsed.rows) = 1 AND _parsed.rows[0] IS NOT NULL"
    )
    parsed = parsed.withColumn(CORRUPT, F.when(F.coalesce(fits, F.lit(False)), None).otherwise(F.col("text")))
    parsed = parsed.withColumn("_row", F.expr("get(_parsed.rows, 0)"))
    return parsed.select("source", "block", "row", "text", "_row.*", CORRUPT)


def number_lines(rows: DataFrame, lines: DataFrame) -> DataFrame:
    """Replace block and row of `rows` by `line`, the line in the source from 1; `lines` is what they were read from."""
    blocks = lines.groupBy("source", "block").agg(F.min("row").alias("first"), F.count("*").alias("count"))
    before = F.sum("count").over(
        Window.partitionBy("source").orderBy("block").rowsBetween(Window.unboundedPreceding, -1)
    )
    starts = blocks.select("source", "block", "first", F.coalesce(before, F.lit(0)).alias("before"))
    joined = rows.join(F.broadcast(starts), ["source", "block"])
    header = F.when(F.col("source").rlike(_CSV), 1).otherwise(0)
    line = F.col("row") - F.col("first") + F.col("before") + 1 + header
    return joined.withColumn("line", line).drop("block", "row", "first", "before")


def _typed(fields: str) -> Column:
    """The line's text; of CSV, where every value is a string, without the quotes of numbers and booleans."""
    struct = cast(StructType, StructType.fromDDL(fields))
    names = [field.name for field in struct if isinstance(field.dataType, NumericType | BooleanType)]
    if not names:
        return F.col("text")
    # A quote within a value is escaped, so that "name": with a bare quote can only be a key.
    key = rf'"({"|".join(names)})":'
    typed = F.regexp_replace("text", rf'{key}"(-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)"', '"$1":$2')
    for value in ("true", "false"):
        typed = F.regexp_replace(typed, rf'(?i){key}"{value}"', f'"$1":{value}')
    return F.when(F.col("source").rlike(_CSV), typed).otherwise(F.col("text"))


def _located(table: DataFrame, text: Column) -> DataFrame:
    # Spark writes the path as a URL (%20 for a space); decoding a URL would also make spaces of pluses.
    source = F.url_decode(F.replace(F.col("_metadata.file_path"), F.lit("+"), F.lit("%2B")))
    return table.select(
        source.alias("source"),
        F.col("_metadata.file_block_start").alias("block"),
        F.monotonically_increasing_id().alias("row"),
        text.alias("text"),
    )
