"""Landed records of every file format as JSON lines; each line has its source and its position there."""

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
_BY_LINE = -1  # as the block of a row: `row` is the line in the file
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
    """Return one row (source, landed_on, block, row, text, reason, message) per record of `files`, of any format.

    `row` counts within `block`, a split of the file: only runs that need the line in the file compute it, with
    `number_lines`. Rows and files that cannot be read have a reason; a file that is refused as a whole is row 0.

    Args:
        fields: of the records, as DDL.
        checksums: see `formats.for_spark`.
    """
    with ThreadPoolExecutor(_HEADS_AT_ONCE) as pool:
        heads = list(pool.map(_head, files))
    read_by_spark = [file for file, head in zip(files, heads, strict=True) if for_spark(file, head, checksums)]
    others = [file for file in files if file not in set(read_by_spark)]
    rows = read_rows(spark, others, fields)
    return _lines_by_spark(spark, read_by_spark).unionByName(rows) if read_by_spark else rows


def read_rows(spark: SparkSession, files: Sequence[LandedFile], fields: str) -> DataFrame:
    """Return the rows of `read_lines`, all read by `rows_of`, which is slower and refuses unclear names."""
    if not files:
        return spark.createDataFrame(_ARROW_LINES.empty_table())
    columns = {"path": [file.path for file in files], "landed_on": [file.landed_on for file in files]}
    # One task per file, because these files cannot be split.
    listed = spark.createDataFrame(pa.table(columns)).repartition(len(files))
    return listed.mapInArrow(_row_reader(_types(fields)), _LINES)


def refused_lines(spark: SparkSession, refused: Sequence[RefusedFile]) -> DataFrame:
    """Return files that are refused as a whole in the form of `read_lines`."""
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
        return b""  # the worker that opens it reports the error


def _types(fields: str) -> dict[str, str]:
    return {field.name: field.dataType.simpleString() for field in cast(StructType, StructType.fromDDL(fields))}


def _row_reader(types: Mapping[str, str]) -> Callable[[Iterable[pa.RecordBatch]], Iterable[pa.RecordBatch]]:
    def read(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for path, landed_on in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                rows = rows_of(path, types)
                while batch_rows := list(islice(rows, _ROWS_PER_BATCH)):
                    yield pa.RecordBatch.from_pydict(
                        {
                            "source": [path] * len(batch_rows),
                            "landed_on": [landed_on] * len(batch_rows),
                            "block": [_BY_LINE] * len(batch_rows),
                            "row": [row.line for row in batch_rows],
                            "text": [row.text for row in batch_rows],
                            "reason": [row.reason for row in batch_rows],
                            "message": [row.message for row in batch_rows],
                        },
                        schema=_ARROW_LINES,
                    )

    return read


def _lines_by_spark(spark: SparkSession, files: Sequence[LandedFile]) -> DataFrame:
    days = {file.path: file.landed_on for file in files}
    table = spark.read.text([escape_glob(path) for path in days])
    # The URL of each file is decoded once, here, and joined to its lines, instead of decoded for every line.
    urls = (re.sub("^file:/+", "file:/", url) for url in table.inputFiles())
    paths = {url: unquote(url).removeprefix("file:") for url in urls}
    sources = [(url, path, days[path]) for url, path in paths.items()]
    known = spark.createDataFrame(sources, "url string, source string, landed_on date")
    lines = table.select(
        F.col("_metadata.file_path").alias("url"),
        F.col("_metadata.file_block_start").alias("block"),
        F.monotonically_increasing_id().alias("row"),
        F.col("value").alias("text"),
    )
    not_utf8 = F.expr("NOT is_valid_utf8(text)")
    return (
        lines.join(F.broadcast(known), "url")
        .withColumn("reason", F.when(not_utf8, "malformed_line"))
        .withColumn("message", F.when(not_utf8, "not UTF-8; save the file as UTF-8"))
        .withColumn("text", F.when(not_utf8, F.expr("make_valid_utf8(text)")).otherwise(F.col("text")))
        .select("source", "landed_on", "block", "row", "text", "reason", "message")
    )


def parse(lines: DataFrame, fields: str) -> DataFrame:
    """Add `fields` (DDL) of each line's object as columns; `_corrupt` holds the text of a line that does not fit."""
    struct = cast(StructType, StructType.fromDDL(fields))
    moments = [field.name for field in struct if isinstance(field.dataType, TimestampType)]
    # Spark would read the number 5 as a time, five seconds after 1970: times are read as text and checked here.
    read_as = ", ".join(
        f"`{field.name}` {'string' if field.name in moments else field.dataType.simpleString()}" for field in struct
    )
    # Most lines begin with {, and this test is faster than a test for a blank line.
    full = lines.where(F.expr("startswith(text, '{') OR reason IS NOT NULL OR length(trim(text)) > 0"))
    parsed = full.withColumn("_parsed", _parsed(F.col("text"), read_as))
    whole = f"_parsed.{CORRUPT} IS NULL AND _parsed.ended AND size(_parsed.rows) = 1"
    integers = [field.name for field in struct if isinstance(field.dataType, IntegerType | LongType)]
    if integers:
        # pandas writes integers of a column with gaps as 1500.0: only such lines are parsed again.
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
    """Replace block and row of `rows` by `line`, the line in the source, from 1; `lines` are all lines there."""
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
    # RFC 3339 allows a lower-case z, which Spark does not read.
    lower_z = f"CASE WHEN endswith({value}, 'z') THEN try_cast(upper({value}) AS timestamp) END"
    return F.expr(f"coalesce(try_cast({value} AS timestamp), {lower_z})")


def _parsed(text: Column, read_as: str) -> Column:
    # Spark's parser ignores text after a value: in this wrapper, such text makes the whole line invalid.
    wrapped = F.concat(F.lit('{"rows":['), text, F.lit('],"ended":true}'))
    schema = f"rows array<struct<{read_as}>>, ended boolean, {CORRUPT} string"
    return F.from_json(wrapped, schema, {"mode": "PERMISSIVE", "columnNameOfCorruptRecord": CORRUPT})
