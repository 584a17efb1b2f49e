"""Landed pictures and what is said about them → one row a statement, accepted or not. No picture is opened here."""

from collections.abc import Sequence
from datetime import date

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from vsearch_lib.landing.files import METADATA_NAME, LandedFile, list_files, plain_path
from vsearch_lib.landing.lines import CORRUPT, number_lines, parse, read_lines
from vsearch_lib.landing.refusal import refuse_where

FIELDS = (
    "image_id string, file string, owner_id string, uploaded_at timestamp, tags string, visibility string, "
    "moderation string, deleted boolean"
)
FILE = ["source_uri", "source_bytes", "source_modified_at"]
STATEMENT = ["image_id", "owner_id", "uploaded_at", "tags", "visibility", "moderation", "deleted"]
_SAID = ("file", *STATEMENT[1:])
_WHOLE = "file IS NOT NULL AND NOT coalesce(deleted, false)"
RULES = {
    f"{CORRUPT} IS NOT NULL": ("malformed_line", "not a JSON object with the fields of an image"),
    "source IS NULL": ("missing_metadata", "no metadata row names this file"),
    "image_id IS NULL OR image_id = ''": ("missing_field", "image_id is missing"),
    f"owner_id IS NULL AND {_WHOLE}": ("missing_field", "owner_id is missing"),
    f"uploaded_at IS NULL AND {_WHOLE}": ("missing_field", "uploaded_at is missing"),
    " AND ".join(f"{name} IS NULL" for name in _SAID): ("missing_field", "neither a file nor a change"),
    "visibility NOT IN ('public', 'private')": ("value_not_allowed", "visibility must be public or private"),
    "moderation NOT IN ('ok', 'blocked', 'unreviewed')": (
        "value_not_allowed",
        "moderation must be ok, blocked or unreviewed",
    ),
    "uploaded_at >= date_add(landed_on, 2)": ("time_in_future", "uploaded_at lies over a day after it landed"),
    f"source_bytes IS NULL AND {_WHOLE}": ("missing_file", "the file that the row names did not land"),
}


def landed_images(spark: SparkSession, uri: str, dates: Sequence[date] | None) -> DataFrame | None:
    """Return a row a statement about a picture, or None where nothing landed.

    Columns: image_id, owner_id, uploaded_at, tags, visibility, moderation, deleted, each null where it is not said;
    source_uri, source_bytes, source_modified_at of the picture's file, null where the row is a change or a deletion;
    landed_on; source, line, text of the metadata row; reason, message where refused. A file below no folder that holds
    metadata is a statement by itself: the id is its path, the tags are the folders' names.
    """
    listing = list_files(spark, uri, dates)
    if listing is None:
        return None
    is_metadata = F.col("path").rlike(METADATA_NAME)
    found = listing.where(is_metadata).select("path", "landed_on").collect()
    metadata_files = sorted(LandedFile(row.path, row.landed_on) for row in found)
    files = listing.where(~is_metadata).select(
        F.col("path").alias("source_uri"),
        F.col("length").alias("source_bytes"),
        F.col("modificationTime").alias("source_modified_at"),
        "landed_on",
    )
    if not metadata_files:
        return _plain(files, uri)
    folders = F.array(*(F.lit(file.path.rpartition("/")[0]) for file in metadata_files))
    described = F.exists(folders, lambda folder: F.startswith("source_uri", F.concat(folder, F.lit("/"))))
    return _described(files.where(described), read_lines(spark, metadata_files)).unionByName(
        _plain(files.where(~described), uri)
    )


def _plain(files: DataFrame, uri: str) -> DataFrame:
    root = F.concat(plain_path(F.lit(uri.rstrip("/"))), F.lit("/"))
    below = F.substr("source_uri", F.length(root) + 1)
    folders = F.slice(F.split(below, "/"), 1, F.size(F.split(below, "/")) - 1)
    return files.select(
        below.alias("image_id"),
        F.lit("unknown").alias("owner_id"),
        F.col("source_modified_at").alias("uploaded_at"),
        F.filter(folders, lambda name: (name != "") & ~name.startswith("date=")).alias("tags"),
        F.lit(None).cast("string").alias("visibility"),
        F.lit(None).cast("string").alias("moderation"),
        F.lit(False).alias("deleted"),
        *FILE,
        "landed_on",
        F.col("source_uri").alias("source"),
        F.lit(0).cast("bigint").alias("line"),
        F.lit(None).cast("string").alias("text"),
        F.lit(None).cast("string").alias("reason"),
        F.lit(None).cast("string").alias("message"),
    )


def _described(files: DataFrame, lines: DataFrame) -> DataFrame:
    rows = number_lines(parse(lines, FIELDS), lines).withColumn("metadata_landed_on", F.col("landed_on"))
    folder = F.regexp_replace("source", "/[^/]*$", "")
    rows = rows.withColumn("named", F.when(F.expr(_WHOLE), F.concat(folder, F.lit("/"), F.col("file"))))
    joined = rows.drop("landed_on").join(files, rows["named"] == files["source_uri"], "full_outer")
    joined = joined.withColumn("landed_on", F.coalesce("metadata_landed_on", "landed_on"))
    checked = refuse_where(joined, RULES)
    return checked.select(
        "image_id",
        "owner_id",
        "uploaded_at",
        _tags().alias("tags"),
        "visibility",
        "moderation",
        # A row that lands the picture says that it is there.
        F.coalesce("deleted", F.when(F.col("file").isNotNull(), F.lit(False))).alias("deleted"),
        *FILE,
        "landed_on",
        F.coalesce("source", "source_uri").alias("source"),
        F.coalesce("line", F.lit(0)).cast("bigint").alias("line"),
        "text",
        "reason",
        "message",
    )


def _tags() -> Column:
    """Tags come as a JSON list, or from CSV as one string that | or , divides; null where none are said."""
    as_list = F.from_json("tags", "array<string>")
    # Not F.trim itself: a function of two parameters is given the index too, and would trim that digit away.
    divided = F.filter(F.transform(F.split("tags", r"[|,]"), lambda tag: F.trim(tag)), lambda tag: tag != "")
    known = F.when(F.col("tags").startswith("["), as_list).otherwise(divided)
    return F.when(F.col("tags").isNotNull(), F.coalesce(known, F.array().cast("array<string>")))
