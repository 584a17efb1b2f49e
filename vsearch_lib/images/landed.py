"""Landed pictures and their metadata → one row a picture, known or not, accepted or not. No file is opened here."""

from collections.abc import Sequence
from datetime import date

from pyspark.sql import Column, DataFrame, SparkSession, Window
from pyspark.sql import functions as F

from vsearch_lib.landing.files import METADATA_NAME, list_files
from vsearch_lib.landing.lines import CORRUPT, number_lines, parse, read_lines
from vsearch_lib.landing.refusal import refuse_where

FIELDS = (
    "image_id string, file string, owner_id string, uploaded_at timestamp, tags string, visibility string, "
    "moderation string, deleted boolean"
)
RULES = {
    f"{CORRUPT} IS NOT NULL": ("malformed_line", "not a JSON object with the fields of an image"),
    "source IS NULL": ("missing_metadata", "no metadata row names this file"),
    "image_id IS NULL OR image_id = ''": ("missing_field", "image_id is missing"),
    "file IS NULL AND NOT deleted": ("missing_field", "file is missing"),
    "owner_id IS NULL AND NOT deleted": ("missing_field", "owner_id is missing"),
    "uploaded_at IS NULL AND NOT deleted": ("missing_field", "uploaded_at is missing"),
    "visibility NOT IN ('public', 'private')": ("value_not_allowed", "visibility must be public or private"),
    "moderation NOT IN ('ok', 'blocked', 'unreviewed')": (
        "value_not_allowed",
        "moderation must be ok, blocked or unreviewed",
    ),
    "source_bytes IS NULL AND NOT deleted": ("missing_file", "the file that the row names did not land"),
}


def landed_images(spark: SparkSession, uri: str, dates: Sequence[date] | None) -> DataFrame | None:
    """Return a row a landed picture, or None where nothing landed.

    Columns: image_id, owner_id, uploaded_at, tags, visibility, moderation, deleted; source_uri, source_bytes,
    source_modified_at of the picture's file; source, line, text of its metadata row; reason, message where refused.
    A folder without metadata is taken as it is: the id is the path below it, the tags are the folders' names. Of
    several rows for one id the one landed last is returned.
    """
    listing = list_files(spark, uri, dates)
    if listing is None:
        return None
    listing = listing.withColumn("path", plain_path("path"))
    metadata_files = [row.path for row in listing.where(F.col("path").rlike(METADATA_NAME)).select("path").collect()]
    files = listing.where(~F.col("path").rlike(METADATA_NAME)).select(
        F.col("path").alias("source_uri"),
        F.col("length").alias("source_bytes"),
        F.col("modificationTime").alias("source_modified_at"),
    )
    if not metadata_files:
        return _without_metadata(files, uri)
    return _with_metadata(files, read_lines(spark, sorted(metadata_files)))


def plain_path(column: Column | str) -> Column:
    """Return a path in one spelling: Spark's sources write file:/a and file:///a for the same file."""
    return F.regexp_replace(column, "^file:/+", "/")


def _without_metadata(files: DataFrame, uri: str) -> DataFrame:
    root = F.concat(plain_path(F.lit(uri.rstrip("/"))), F.lit("/"))
    below = F.substr("source_uri", F.length(root) + 1)
    return files.select(
        below.alias("image_id"),
        F.lit("unknown").alias("owner_id"),
        F.col("source_modified_at").alias("uploaded_at"),
        F.filter(F.slice(F.split(below, "/"), 1, F.size(F.split(below, "/")) - 1), lambda t: t != "").alias("tags"),
        F.lit("public").alias("visibility"),
        F.lit("unreviewed").alias("moderation"),
        F.lit(False).alias("deleted"),
        "source_uri",
        "source_bytes",
        "source_modified_at",
        F.col("source_uri").alias("source"),
        F.lit(0).cast("bigint").alias("line"),
        F.lit(None).cast("string").alias("text"),
        F.lit(None).cast("string").alias("reason"),
        F.lit(None).cast("string").alias("message"),
    )


def _with_metadata(files: DataFrame, lines: DataFrame) -> DataFrame:
    rows = number_lines(parse(lines, FIELDS), lines).withColumn("source", plain_path("source"))
    rows = rows.withColumn("deleted", F.coalesce("deleted", F.lit(False)))
    folder = F.regexp_replace("source", "/[^/]*$", "")
    rows = rows.withColumn("named", F.when(F.col("file").isNotNull(), F.concat(folder, F.lit("/"), F.col("file"))))
    joined = rows.join(files, rows["named"] == files["source_uri"], "full_outer")
    checked = refuse_where(joined, RULES)
    checked = checked.select(
        "image_id",
        "owner_id",
        "uploaded_at",
        _tags().alias("tags"),
        F.coalesce("visibility", F.lit("public")).alias("visibility"),
        F.coalesce("moderation", F.lit("unreviewed")).alias("moderation"),
        F.coalesce("deleted", F.lit(False)).alias("deleted"),
        "source_uri",
        "source_bytes",
        "source_modified_at",
        F.coalesce("source", "source_uri").alias("source"),
        F.coalesce("line", F.lit(0)).cast("bigint").alias("line"),
        "text",
        "reason",
        "message",
    )
    latest = Window.partitionBy("image_id").orderBy(F.desc("source"), F.desc("line"))
    accepted = checked.where("reason IS NULL").withColumn("_rank", F.row_number().over(latest)).where("_rank = 1")
    return accepted.drop("_rank").unionByName(checked.where("reason IS NOT NULL"))


def _tags() -> Column:
    """Tags come as a JSON list, or from CSV as one string that | or , divides."""
    as_list = F.from_json("tags", "array<string>")
    # Not F.trim itself: a function of two parameters is given the index too, and would trim that digit away.
    divided = F.filter(F.transform(F.split("tags", r"[|,]"), lambda tag: F.trim(tag)), lambda tag: tag != "")
    empty = F.array().cast("array<string>")
    return F.coalesce(F.when(F.col("tags").startswith("["), as_list).otherwise(divided), empty)
