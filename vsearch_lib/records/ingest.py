"""Landed lines → accepted rows and refused lines, the same way for every kind of record."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pyspark.sql import DataFrame, SparkSession, Window
from pyspark.sql import functions as F

from vsearch_lib.erasure.landed import with_erased
from vsearch_lib.lake import TableSchema
from vsearch_lib.landing.causes import cause_unknown, with_causes
from vsearch_lib.landing.lines import CORRUPT, number_lines, parse, read_lines, refused_lines
from vsearch_lib.landing.listing import Listing
from vsearch_lib.landing.rows import NO_RECORDS
from vsearch_lib.quarantine.reasons import refuse_where
from vsearch_lib.spark.checkpoint import checkpointed

MAX_EVENT_AGE_DAYS = 730


@dataclass(frozen=True)
class RecordKind:
    """How one kind of record lands.

    Attributes:
        table: where its rows go.
        fields: of a line, as DDL.
        key: of its table.
        rules: SQL condition → reason and message of the lines it refuses.
        to_columns: adds the columns that the table's are made of.
        events: whether a record tells what happened, once and for all. Of differing records of one event the one that
            is greater by content holds; of other records the one that landed last. Either way it is the same one
            whatever the order, repetition or split in which they come.
    """

    table: str
    fields: str
    key: tuple[str, ...]
    rules: Mapping[str, tuple[str, str]]
    to_columns: Callable[[DataFrame], DataFrame]
    events: bool = False


@dataclass(frozen=True)
class LandedRecords:
    """Records of some files: `kept` holds each key once and each refused line.

    Its columns are those of the kind, `landed_on`, `reason` and `message` (null where accepted), and `copies`: how
    many accepted lines there were of the key.
    """

    kind: RecordKind
    kept: DataFrame
    lines: DataFrame

    @property
    def accepted(self) -> DataFrame:
        """Rows of the kind's table."""
        return self.kept.where("reason IS NULL")

    def refused(self) -> DataFrame:
        """Refused lines, as `replace_refusals` takes them; their files are read again to count their lines."""
        rows = self.kept.where(f"reason IS NOT NULL AND reason <> '{NO_RECORDS}'")
        numbered = number_lines(rows, self.lines.join(rows.select("source").distinct(), "source", "left_semi"))
        refused = with_causes(numbered.select("source", "line", "reason", "message", "text"), self.kind.fields)
        payload = F.when(F.col("reason") != "erased", F.col("text")).alias("payload")
        return refused.select("source", "line", "reason", "message", payload)


def landed_records(
    spark: SparkSession, kind: RecordKind, listing: Listing, schema: TableSchema, erasures: DataFrame
) -> LandedRecords:
    """Read and check the record files of `listing`; what it refuses as a whole is among the refused.

    Args:
        schema: of the table: events differ if one of its columns does.
        erasures: the table of that name; what names an erased user or image is refused.
    """
    lines = read_lines(spark, listing.files, kind.fields, listing.checksums)
    if listing.refused:
        lines = lines.unionByName(refused_lines(spark, listing.refused))
    parsed = with_erased(parse(lines, kind.fields), schema, erasures)
    first = {
        f"{CORRUPT} IS NOT NULL": ("malformed_line", cause_unknown(kind.table)),
        "_erased": ("erased", "about a user or an image that was erased"),
    }
    checked = refuse_where(parsed, {**first, **kind.rules})
    checked = kind.to_columns(checked).withColumn("text", F.when(F.col("reason").isNotNull(), F.col("text")))
    place = F.struct("source", "block", "row")
    # A refused line is by itself. The hash comes first because rows are sorted by it much faster than by strings.
    accepted = F.col("reason").isNull()
    same = [F.when(accepted, F.col(name)) for name in kind.key] + [F.when(~accepted, place)]
    group = {"_hash": F.xxhash64(*same), **{f"_same_{i}": value for i, value in enumerate(same)}}
    keyed = checkpointed(checked.withColumn("_hash", group["_hash"]).drop("_erased"))
    repeated = checkpointed(keyed.groupBy("_hash").count().where("count > 1").select("_hash"))
    once = keyed.withColumn("copies", F.lit(1).cast("bigint"))
    if repeated.isEmpty():
        return LandedRecords(kind, once.drop("_hash"), lines)
    # Only rows that may have others of their key are brought together and sorted; most land once.
    known = [name for name in schema.names if name in keyed.columns]
    latest = F.struct(*known) if kind.events else F.struct("landed_on", "source", "block", "row")
    window = Window.partitionBy(*group).orderBy(latest.desc())
    every = window.rowsBetween(Window.unboundedPreceding, Window.unboundedFollowing)
    ranked = (
        keyed.join(repeated, "_hash", "left_semi")
        .withColumns(group)
        .withColumns({"_rank": F.row_number().over(window), "copies": F.count("*").over(every)})
    )
    several = ranked.where("_rank = 1").drop("_rank", *group)
    kept = once.join(repeated, "_hash", "left_anti").drop("_hash").unionByName(several)
    return LandedRecords(kind, checkpointed(kept), lines)
