"""Landed lines → accepted rows and refused lines, the same way for every kind of record."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pyspark import StorageLevel
from pyspark.sql import DataFrame, SparkSession, Window
from pyspark.sql import functions as F

from vsearch_lib.images.landed import plain_path
from vsearch_lib.landing.lines import CORRUPT, number_lines, parse, read_lines
from vsearch_lib.landing.refusal import refuse_where


@dataclass(frozen=True)
class RecordKind:
    """How one kind of record lands: its table, its fields (DDL), what refuses a line, and the columns made of it."""

    table: str
    fields: str
    key: tuple[str, ...]
    rules: Mapping[str, tuple[str, str]]
    to_columns: Callable[[DataFrame], DataFrame]


@dataclass(frozen=True)
class LandedRecords:
    """Accepted rows, each key once (of several the one landed last), and every parsed line with its verdict."""

    accepted: DataFrame
    checked: DataFrame
    lines: DataFrame


def landed_records(spark: SparkSession, kind: RecordKind, paths: Sequence[str]) -> LandedRecords:
    """Read and check the record files `paths`; `checked` is persisted until the caller unpersists it."""
    lines = read_lines(spark, paths)
    malformed = {f"{CORRUPT} IS NOT NULL": ("malformed_line", f"not a JSON object with the fields of {kind.table}")}
    checked = refuse_where(parse(lines, kind.fields), {**malformed, **kind.rules}).persist(StorageLevel.DISK_ONLY)
    latest = Window.partitionBy(*kind.key).orderBy(F.desc("source"), F.desc("block"), F.desc("row"))
    ranked = checked.where("reason IS NULL").withColumn("_rank", F.row_number().over(latest))
    return LandedRecords(kind.to_columns(ranked.where("_rank = 1")), checked, lines)


def refused_rows(landed: LandedRecords, table: str, run_id: str, now: datetime) -> DataFrame:
    """Return rows of `quarantine` for the refused lines."""
    refused = number_lines(landed.checked.where("reason IS NOT NULL"), landed.lines)
    return refused.select(
        F.lit(run_id).alias("run"),
        F.lit(table).alias("table"),
        plain_path("source").alias("source"),
        "line",
        "reason",
        "message",
        F.col("text").alias("payload"),
        F.lit(None).cast("bigint").alias("source_bytes"),
        F.lit(None).cast("timestamp").alias("source_modified_at"),
        F.lit(now).alias("first_seen"),
    )
