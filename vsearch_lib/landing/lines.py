"""Landed records, whatever their file format, as one JSON object a line that knows where it came from."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import cast
from urllib.parse import unquote

import pyarrow as pa
from pyspark.sql import Column, DataFrame, SparkSession, Window
from pyspark.sql import functions as F
from pyspark.sql.types import IntegerType, LongType, StructType, TimestampType

from vsearch_lib.lake.paths import escape_glob
from vsearch_lib.landing.formats import for_spark
from vsearch_lib.landing.listing import LandedFile, RefusedFile
from vsearch_lib.landing.rows import rows_of
from vsearch_lib.storage import open_file

CORRUPT = "_corrupt"
_BY_LINE = -1  # in place of a block: the row is the line in the file
_ROWS_PER_BATCH = 1024
_HEADS_AT_ONCE = 16
_HEAD_BYTES = 256
_LINES = "source string, landed_on date, block bigint, row bigint, text string, reason string, message string"
_ARROW_LINES = pa.schema(
    [
        ("source", pa.string()),
        ("landed_on", pa.date32()),
        ("block", pa.int64()),
        ("row", pa.int64()),
        ("text", pa.string()),
        ("reason", pa.string()),
        ("message", pa.string()),
    ]
)


def read_lines(spark: SparkSession, files: Sequence[LandedFile], fields: str, checksums: set[str]) -> DataFrame:
    """Return source, landed_on, block, row, text, reason, message: a row a record of `files`, whatever their formats.

    `row` counts within `block` (a split of the file), so that `number_lines` can tell the line in the file without
    every run paying for it. Rows and files that cannot be read have a reason; those of whole files are row 0.

    Args:
        fields: of the records, as DDL.
        checksums: as `formats.for_spark` takes them.
    """
    with ThreadPoolExecutor(_HEADS_AT_ONCE) as pool:
        heads = list(pool.map(_head, files))
    for_spark_itself = [file for file, head in zip(files, heads, strict=True) if for_spark(file, head, checksums)]
    others = [file for file in files if file not in set(for_spark_itself)]
    read = read_rows(spark, others, fields)
    return _lines_by_spark(spark, for_spark_itself).unionByName(read) if for_spark_itself else read


def read_rows(spark: SparkSession, files: Sequence[LandedFile], fields: str) -> DataFrame:
    """Return what `read_lines` does, every row looked at by `rows_of`, which is slower and refuses unclear names."""
    if not files:
        return spark.createDataFrame(_ARROW_LINES.empty_table())
    columns = {"path": [file.path for file in files], "landed_on": [file.landed_on for file in files]}
    # A task a file: none of them can be split.
    listed = spark.createDataFrame(pa.table(columns)).repartition(len(files))
    return listed.mapInArrow(_row_reader(_types(fields)), _LINES)


def refused_lines(spark: SparkSession, refused: Sequence[RefusedFile]) -> DataFrame:
    """Return files that are refused as a whole as `read_lines` does."""
    rows = [
        {"source": file.path, "block": _BY_LINE, "row": 0, "reason": file.reason, "message": file.message}
        for file in refused
    ]
    return spark.createDataFrame(pa.Table.from_pylist(rows, schema=_ARROW_LINES))


def _head(file: LandedFile) -> bytes:
    try:
        with open_file(file.path) as content:
            return content.read(_HEAD_BYTES)
    except OSError:
        return b""  # the worker that opens it says what is wrong


def _types(fields: str) -> dict[str, str]:
    return {field.name: field.dataType.simpleString() for field in cast(StructType, StructType.fromDDL(fields))}


def _row_reader(types: Mapping[str, str]) -> Callable[[Iterable[pa.RecordBatch]], Iterable[pa.RecordBatch]]:
    def read(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for path, landed_on in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                rows = rows_of(path, types)
                while several := list(islice(rows, _ROWS_PER_BATCH)):
                    yield pa.RecordBatch.from_pydict(
                        {
                            "source": [path] * len(several),
                            "landed_on": [landed_on] * len(several),
                            "block": [_BY_LINE] * len(several),
                            "row": [row.line for row in several],
                            "text": [row.text for row in several],
                            "reason": [row.reason for row in several],
                            "message": [row.message for row in several],
                        },
                        schema=_ARROW_LINES,
                    )

    return read


def _lines_by_spark(spark: SparkSession, files: Sequence[LandedFile]) -> DataFrame:
    days = {file.path: file.landed_on for file in files}
    table = spark.read.text([escape_glob(path) for path in days])
    # Every line would decode the same URL: each file's is decoded once, here, and looked up.
    urls = (re.sub("^file:/+", "file:/", url) for url in table.inputFiles())
    paths = {url: unquote(url).removeprefix("file:") for url in urls}
    places = [(url, path, days[path]) for url, path in paths.items()]
    known = spark.createDataFrame(places, "url string, source string, landed_on date")
    lines = table.select(
        F.col("_metadata.file_path").alias("url"),
        F.col("_metadata.file_block_start").alias("block"),
        F.monotonically_increasing_id().alias("row"),
        F.col("value").alias("text"),
    )
    unread = F.expr("NOT is_valid_utf8(text)")
    return (
        lines.join(F.broadcast(known), "url")
        .withColumn("reason", F.when(unread, "malformed_line"))
        .withColumn("message", F.when(unread, "not UTF-8; save the file as UTF-8"))
        .withColumn("text", F.when(unread, F.expr("make_valid_utf8(text)")).otherwise(F.col("text")))
        .select("source", "landed_on", "block", "row", "text", "reason", "message")
    )


def parse(lines: DataFrame, fields: str) -> DataFrame:
    """Add `fields` (DDL) of each line's object as columns; `_corrupt` holds the text of a line that does not fit."""
    struct = cast(StructType, StructType.fromDDL(fields))
    moments = [field.name for field in struct if isinstance(field.dataType, TimestampType)]
    # Spark would take the number 5 for a moment, five seconds after 1970: moments are read as text and looked at.
    read_as = ", ".join(
        f"`{field.name}` {'string' if field.name in moments else field.dataType.simpleString()}" for field in struct
    )
    # Most lines begin as they should, which is seen faster than that they are not blank.
    full = lines.where(F.expr("startswith(text, '{') OR reason IS NOT NULL OR length(trim(text)) > 0"))
    parsed = full.withColumn("_parsed", _parsed(F.col("text"), read_as))
    whole = f"_parsed.{CORRUPT} IS NULL AND _parsed.ended AND size(_parsed.rows) = 1"
    integers = [field.name for field in struct if isinstance(field.dataType, IntegerType | LongType)]
    if integers:
        # Tables of pandas write the integers of a column with gaps as 1500.0; only such lines are looked at again.
        repaired = F.regexp_replace("text", rf'("(?:{"|".join(integers)})":\s*-?\d+)\.0+(?=\s*[,}}])', "$1")
        again = F.when(F.expr(whole), F.col("_parsed")).otherwise(_parsed(repaired, read_as))
        parsed = parsed.withColumn("_parsed", again)
    parsed = parsed.select(
        *lines.columns,
        F.expr("get(_parsed.rows, 0)").alias("_row"),
        F.expr(whole).alias("_whole"),
        *(_moment(f"get(_parsed.rows, 0).`{name}`").alias(f"_{name}") for name in moments),
    )
    # LIKE '____-__-__%', without a regular expression a line.
    day = "length({0}) >= 10 AND substr({0}, 5, 1) = '-' AND substr({0}, 8, 1) = '-'"
    read = "".join(f" AND (_row.`{n}` IS NULL OR ({day.format(f'_row.`{n}`')} AND _{n} IS NOT NULL))" for n in moments)
    fits = F.coalesce(F.expr(f"_whole AND _row IS NOT NULL{read}"), F.lit(False))
    values = [F.col(f"_{f.name}" if f.name in moments else f"_row.`{f.name}`").alias(f.name) for f in struct]
    return parsed.select(*lines.columns, *values, F.when(~fits, F.coalesce("text", F.lit(""))).alias(CORRUPT))


def number_lines(rows: DataFrame, lines: DataFrame) -> DataFrame:
    """Replace block and row of `rows` by `line`, the line in the source from 1; `lines` is what they were read from."""
    split = lines.where(F.col("block") != _BY_LINE)
    blocks = split.groupBy("source", "block").agg(F.min("row").alias("first"), F.count("*").alias("count"))
    before = F.sum("count").over(
        Window.partitionBy("source").orderBy("block").rowsBetween(Window.unboundedPreceding, -1)
    )
    starts = blocks.select("source", "block", "first", F.coalesce(before, F.lit(0)).alias("before"))
    joined = rows.join(F.broadcast(starts), ["source", "block"], "left")
    line = F.coalesce(F.col("row") - F.col("first") + F.col("before") + 1, F.col("row"))
    return joined.withColumn("line", line).drop("block", "row", "first", "before")


def _moment(value: str) -> Column:
    # RFC 3339 allows the small z, which Spark does not read.
    small_z = f"CASE WHEN endswith({value}, 'z') THEN try_cast(upper({value}) AS timestamp) END"
    return F.expr(f"coalesce(try_cast({value} AS timestamp), {small_z})")


def _parsed(text: Column, read_as: str) -> Column:
    # Spark's parser stops where a value ends; here it must come past the line's own object, the only one in its list.
    wrapped = F.concat(F.lit('{"rows":['), text, F.lit('],"ended":true}'))
    schema = f"rows array<struct<{read_as}>>, ended boolean, {CORRUPT} string"
    return F.from_json(wrapped, schema, {"mode": "PERMISSIVE", "columnNameOfCorruptRecord": CORRUPT})
