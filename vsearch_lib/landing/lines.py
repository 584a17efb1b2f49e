"""Landed records, whatever their file format, as one JSON object a line that knows where it came from."""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from functools import reduce
from typing import cast
from urllib.parse import unquote

from pyspark.sql import Column, DataFrame, SparkSession, Window
from pyspark.sql import functions as F
from pyspark.sql.types import BooleanType, NumericType, StructType, TimestampType

from vsearch_lib.lake.paths import escape_glob
from vsearch_lib.landing.files import LandedFile

CORRUPT = "_corrupt"
_CSV = ".csv"


def read_lines(spark: SparkSession, files: Sequence[LandedFile]) -> DataFrame:
    """Return source, landed_on, block, row, text: a row a record of the JSON-lines, CSV or Parquet `files`.

    `row` counts within `block` (a split of the file), so that `number_lines` can tell the line in the file without
    every run paying for it.
    """
    days = {file.path: file.landed_on for file in files}
    parts = []
    text_paths = [file.path for file in files if ".jsonl" in file.path.rsplit("/", 1)[-1]]
    if text_paths:
        parts.append(_located(spark.read.text([escape_glob(path) for path in text_paths]), F.col("value"), days))
    for file in files:
        if file.path.endswith(".csv"):
            # Quotes within quotes are doubled, as RFC 4180 and every spreadsheet write them.
            table = spark.read.csv(escape_glob(file.path), header=True, escape='"')
            parts.append(_located(table, F.to_json(F.struct(*(f"`{c}`" for c in table.columns))), days))
        elif file.path.endswith(".parquet"):
            table = spark.read.parquet(escape_glob(file.path))
            parts.append(_located(table, F.to_json(F.struct(*(f"`{c}`" for c in table.columns))), days))
    empty = spark.createDataFrame([], "source string, landed_on date, block bigint, row bigint, text string")
    return reduce(DataFrame.unionByName, parts) if parts else empty


def parse(lines: DataFrame, fields: str) -> DataFrame:
    """Add `fields` (DDL) of each line's object as columns; `_corrupt` holds the text of a line that does not fit."""
    struct = cast(StructType, StructType.fromDDL(fields))
    moments = [field.name for field in struct if isinstance(field.dataType, TimestampType)]
    # Spark would take the number 5 for a moment, five seconds after 1970: moments are read as text and looked at.
    read_as = ", ".join(
        f"`{field.name}` {'string' if field.name in moments else field.dataType.simpleString()}" for field in struct
    )
    # Spark's parser stops where a value ends; here it must come past the line's own object, the only one in its list.
    wrapped = F.concat(F.lit('{"rows":['), _typed(struct), F.lit('],"ended":true}'))
    schema = f"rows array<struct<{read_as}>>, ended boolean, {CORRUPT} string"
    options = {"mode": "PERMISSIVE", "columnNameOfCorruptRecord": CORRUPT}
    # Most lines begin as they should, which is seen faster than that they are not blank.
    full = lines.where(F.expr("startswith(text, '{') OR length(trim(text)) > 0"))
    parsed = full.withColumn("_parsed", F.from_json(wrapped, schema, options)).select(
        *lines.columns,
        F.expr("get(_parsed.rows, 0)").alias("_row"),
        F.expr(f"_parsed.{CORRUPT} IS NULL AND _parsed.ended AND size(_parsed.rows) = 1").alias("_whole"),
        *(F.expr(f"try_cast(get(_parsed.rows, 0).`{name}` AS timestamp)").alias(f"_{name}") for name in moments),
    )
    # LIKE '____-__-__%', without a regular expression a line.
    day = "length({0}) >= 10 AND substr({0}, 5, 1) = '-' AND substr({0}, 8, 1) = '-'"
    read = "".join(f" AND (_row.`{n}` IS NULL OR ({day.format(f'_row.`{n}`')} AND _{n} IS NOT NULL))" for n in moments)
    fits = F.coalesce(F.expr(f"_whole AND _row IS NOT NULL{read}"), F.lit(False))
    values = [F.col(f"_{f.name}" if f.name in moments else f"_row.`{f.name}`").alias(f.name) for f in struct]
    return parsed.select(*lines.columns, *values, F.when(~fits, F.col("text")).alias(CORRUPT))


def number_lines(rows: DataFrame, lines: DataFrame) -> DataFrame:
    """Replace block and row of `rows` by `line`, the line in the source from 1; `lines` is what they were read from."""
    blocks = lines.groupBy("source", "block").agg(F.min("row").alias("first"), F.count("*").alias("count"))
    before = F.sum("count").over(
        Window.partitionBy("source").orderBy("block").rowsBetween(Window.unboundedPreceding, -1)
    )
    starts = blocks.select("source", "block", "first", F.coalesce(before, F.lit(0)).alias("before"))
    joined = rows.join(F.broadcast(starts), ["source", "block"])
    header = F.when(F.col("source").endswith(_CSV), 1).otherwise(0)
    line = F.col("row") - F.col("first") + F.col("before") + 1 + header
    return joined.withColumn("line", line).drop("block", "row", "first", "before")


def _typed(struct: StructType) -> Column:
    """The line's text; of CSV, where every value is a string, without the quotes of numbers and booleans."""
    names = [field.name for field in struct if isinstance(field.dataType, NumericType | BooleanType)]
    if not names:
        return F.col("text")
    # A quote within a value is escaped, so that "name": with a bare quote can only be a key.
    key = rf'"({"|".join(names)})":'
    typed = F.regexp_replace("text", rf'{key}"(-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)"', '"$1":$2')
    for value in ("true", "false"):
        typed = F.regexp_replace(typed, rf'(?i){key}"{value}"', f'"$1":{value}')
    return F.when(F.col("source").endswith(_CSV), typed).otherwise(F.col("text"))


def _located(table: DataFrame, text: Column, days: Mapping[str, date]) -> DataFrame:
    # Every line would decode the same URL: each file's is decoded once, here, and looked up.
    urls = (re.sub("^file:/+", "file:/", url) for url in table.inputFiles())
    paths = {url: unquote(url).removeprefix("file:") for url in urls}
    places = [(url, path, days[path]) for url, path in paths.items()]
    known = table.sparkSession.createDataFrame(places, "url string, source string, landed_on date")
    lines = table.select(
        F.col("_metadata.file_path").alias("url"),
        F.col("_metadata.file_block_start").alias("block"),
        F.monotonically_increasing_id().alias("row"),
        text.alias("text"),
    )
    return lines.join(F.broadcast(known), "url").select("source", "landed_on", "block", "row", "text")
