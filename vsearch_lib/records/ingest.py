"""Landed lines → accepted rows and refused lines, in the same way for every kind of record."""

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
    """How one kind of record is ingested.

    Attributes:
        table: the table of its rows.
        fields: the fields of a line, as DDL.
        key: the key of the table.
        rules: SQL condition → reason and message of the lines that it refuses.
        to_columns: adds the columns of the table that are not fields of a line.
        events: whether a record is an event, which never changes. If records of one event differ, the greatest by
            content is stored; of other records, the one that landed last. In both cases the result does not depend on
            the order of the records, on repetition, or on their division into runs.
    """

    table: str
    fields: str
    key: tuple[str, ...]
    rules: Mapping[str, tuple[str, str]]
    to_columns: Callable[[DataFrame], DataFrame]
    events: bool = False


@dataclass(frozen=True)
class LandedRecords:
    """The records of some files: `rows` has each key once, and every refused line.

    Its columns are those of the kind, `landed_on`, `reason` and `message` (null if the row is accepted), and `copies`:
    the number of accepted lines with the key.
    """

    kind: RecordKind
    rows: DataFrame
    lines: DataFrame

    @property
    def accepted(self) -> DataFrame:
        """Rows for the table of the kind."""
        return self.rows.where("reason IS NULL")

    def refused(self) -> DataFrame:
        """Return the refused lines for `replace_refusals`; their files are read again to number the lines."""
        rows = self.rows.where(f"reason IS NOT NULL AND reason <> '{NO_RECORDS}'")
        numbered = number_lines(rows, self.lines.join(rows.select("source").distinct(), "source", "left_semi"))
        refused = with_causes(numbered.select("source", "line", "reason", "message", "text"), self.kind.fields)
        payload = F.when(F.col("reason") != "erased", F.col("text")).alias("payload")
        return refused.select("source", "line", "reason", "message", payload)


def landed_records(
    spark: SparkSession, kind: RecordKind, listing: Listing, schema: TableSchema, erasures: DataFrame
) -> LandedRecords:
    """Read and check the record files of `listing`; its refused files are among the refused lines.

    Args:
        schema: the schema of the table; its columns decide whether two events differ.
        erasures: the table `erasures`; records that name an erased user or image are refused.
    """
    lines = read_lines(spark, listing.files, kind.fields, listing.checksums)
    if listing.refused:
        lines = lines.unionByName(refused_lines(spark, listing.refused))
    parsed = with_erased(parse(lines, kind.fields), schema, erasures)
    first_rules = {
        f"{CORRUPT} IS NOT NULL": ("malformed_line", cause_unknown(kind.table)),
        "_erased": ("erased", "about a user or an image that was erased"),
    }
    checked = refuse_where(parsed, {**first_rules, **kind.rules})
    checked = kind.to_columns(checked).withColumn("text", F.when(F.col("reason").isNotNull(), F.col("text")))
    line_id = F.struct("source", "block", "row")
    # Every refused line is a group of its own. Rows are sorted by the hash first, which is much faster than by strings.
    accepted = F.col("reason").isNull()
    group_key = [F.when(accepted, F.col(name)) for name in kind.key] + [F.when(~accepted, line_id)]
    group = {"_hash": F.xxhash64(*group_key), **{f"_key_{i}": value for i, value in enumerate(group_key)}}
    keyed = checkpointed(checked.withColumn("_hash", group["_hash"]).drop("_erased"))
    repeated = checkpointed(keyed.groupBy("_hash").count().where("count > 1").select("_hash"))
    once = keyed.withColumn("copies", F.lit(1).cast("bigint"))
    if repeated.isEmpty():
        return LandedRecords(kind, once.drop("_hash"), lines)
    # Only rows whose key may occur several times are grouped and sorted; most keys land once.
    columns = [name for name in schema.names if name in keyed.columns]
    latest = F.struct(*columns) if kind.events else F.struct("landed_on", "source", "block", "row")
    window = Window.partitionBy(*group).orderBy(latest.desc())
    every = window.rowsBetween(Window.unboundedPreceding, Window.unboundedFollowing)
    ranked = (
        keyed.join(repeated, "_hash", "left_semi")
        .withColumns(group)
        .withColumns({"_rank": F.row_number().over(window), "copies": F.count("*").over(every)})
    )
    best = ranked.where("_rank = 1").drop("_rank", *group)
    unique = once.join(repeated, "_hash", "left_anti").drop("_hash").unionByName(best)
    return LandedRecords(kind, checkpointed(unique), lines)
