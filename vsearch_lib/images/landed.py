"""Landed pictures and their metadata → one row per statement, accepted or refused. No picture is opened here."""

import pyarrow as pa
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from vsearch_lib.images.metadata import SortedFiles
from vsearch_lib.landing.causes import cause_unknown
from vsearch_lib.landing.lines import CORRUPT, parse, read_rows
from vsearch_lib.landing.listing import LandedFile, Listing, RefusedFile
from vsearch_lib.quarantine.reasons import refuse_where

FIELDS = (
    "image_id string, file string, owner_id string, uploaded_at timestamp, tags string, visibility string, "
    "moderation string, deleted boolean"
)
FILE = ["source_uri", "source_bytes", "source_modified_at"]
STATEMENT = ["image_id", "owner_id", "uploaded_at", "tags", "visibility", "moderation", "deleted"]
_FACTS = ("file", *STATEMENT[1:])
_WHOLE = "file IS NOT NULL AND NOT coalesce(deleted, false)"
RULES = {
    f"{CORRUPT} IS NOT NULL": ("malformed_line", cause_unknown("an image")),
    "source IS NULL": ("missing_metadata", "no readable metadata row names this file"),
    "image_id IS NULL OR image_id = ''": ("missing_field", "image_id is missing"),
    f"owner_id IS NULL AND {_WHOLE}": ("missing_field", "owner_id is missing"),
    f"uploaded_at IS NULL AND {_WHOLE}": ("missing_field", "uploaded_at is missing"),
    " AND ".join(f"{name} IS NULL" for name in _FACTS): ("missing_field", "neither a file nor a change"),
    "visibility NOT IN ('public', 'private')": ("value_not_allowed", "visibility must be public or private"),
    "moderation NOT IN ('ok', 'blocked', 'unreviewed')": (
        "value_not_allowed",
        "moderation must be ok, blocked or unreviewed",
    ),
    "uploaded_at >= date_add(landed_on, 2)": ("time_in_future", "uploaded_at is more than a day after the landing day"),
    f"source_bytes IS NULL AND {_WHOLE}": ("missing_file", "the file that the row names did not land"),
}
_LISTED = pa.schema(
    [
        ("source_uri", pa.string()),
        ("source_bytes", pa.int64()),
        ("source_modified_at", pa.timestamp("us", "UTC")),
        ("file_landed_on", pa.date32()),
        ("described", pa.bool_()),
    ]
)
_ALONE = "source IS NULL AND NOT described"  # a picture without metadata
_COLUMNS = {  # columns of a statement → their types
    **dict.fromkeys(("image_id", "owner_id"), "string"),
    "uploaded_at": "timestamp",
    "tags": "array<string>",
    **dict.fromkeys(("visibility", "moderation"), "string"),
    "deleted": "boolean",
    "source_uri": "string",
    "source_bytes": "bigint",
    "source_modified_at": "timestamp",
    **dict.fromkeys(("file_landed_on", "landed_on"), "date"),
    "source": "string",
    "line": "bigint",
    **dict.fromkeys(("text", "named", "reason", "message"), "string"),
}


def landed_images(spark: SparkSession, listing: Listing, sorted_files: SortedFiles) -> DataFrame:
    """Return one row per statement about a picture in `listing`, and one per file that is refused as a whole.

    Columns: image_id, owner_id, uploaded_at, tags, visibility, moderation, deleted, each null if it is not stated;
    source_uri, source_bytes, source_modified_at and file_landed_on of the picture's file, null if the row is a change
    or a deletion; landed_on; source, line and text of the metadata row; reason and message if it is refused. A picture
    with no metadata in its folder or above is a statement by itself: its id is its path, its tags are the folder names.
    """
    files = _files(spark, sorted_files)
    refused = _refused(spark, [*listing.refused, *sorted_files.unread])
    if not sorted_files.described:
        return _without_metadata(files, listing.uri).unionByName(refused)
    lines = read_rows(spark, [metadata.file for metadata in sorted_files.metadata], FIELDS)
    columns = {
        "source": pa.array([metadata.file.path for metadata in sorted_files.metadata], pa.string()),
        "folder": pa.array([metadata.folder for metadata in sorted_files.metadata], pa.string()),
    }
    described = spark.createDataFrame(pa.table(columns))
    rows = _rows(lines.join(F.broadcast(described), "source"), listing)
    return _with_metadata(files, rows, listing.uri).unionByName(refused)


def without_unread_metadata(statements: DataFrame) -> DataFrame:
    """Refuse pictures beside and below a file that was read as a picture and turned out to look like metadata."""
    unread = statements.where("reason = 'unread_metadata'").select("source").distinct().collect()
    if not unread:
        return statements
    folders = F.array(*(F.lit(row["source"].rpartition("/")[0]) for row in unread))
    below = F.exists(folders, lambda folder: F.startswith("source_uri", F.concat(folder, F.lit("/"))))
    undescribed = F.expr("reason IS NULL AND line = 0") & below
    reason, message = RULES["source IS NULL"]
    return statements.withColumns(
        {
            "reason": F.when(undescribed, reason).otherwise(F.col("reason")),
            "message": F.when(undescribed, message).otherwise(F.col("message")),
        }
    )


def _files(spark: SparkSession, sorted_files: SortedFiles) -> DataFrame:
    known: dict[str, bool] = {}

    def is_described(folder: str) -> bool:
        if folder not in known:
            above = folder.rpartition("/")[0]
            known[folder] = folder in sorted_files.described or (
                bool(above) and above != folder and is_described(above)
            )
        return known[folder]

    rows: list[LandedFile] = sorted_files.pictures
    columns = [
        pa.array([file.path for file in rows], pa.string()),
        pa.array([file.bytes for file in rows], pa.int64()),
        pa.array([file.modified_ms * 1000 for file in rows], pa.int64()).cast(pa.timestamp("us", "UTC")),
        pa.array([file.landed_on for file in rows], pa.date32()),
        pa.array([bool(sorted_files.described) and is_described(file.folder) for file in rows], pa.bool_()),
    ]
    return spark.createDataFrame(pa.Table.from_arrays(columns, schema=_LISTED))


def _refused(spark: SparkSession, refused: list[RefusedFile]) -> DataFrame:
    columns = {
        name: pa.array([file[number] for file in refused], pa.string())
        for number, name in enumerate(("source", "reason", "message"))
    }
    return _statements(spark.createDataFrame(pa.table(columns)), line=F.lit(0))


def _without_metadata(files: DataFrame, uri: str) -> DataFrame:
    return _statements(files, **_facts_from_path(uri), line=F.lit(0))


def _facts_from_path(uri: str) -> dict[str, Column]:
    """Return the statement of a picture that has no metadata."""
    below = path_below(uri)
    folders = F.slice(F.split(below, "/"), 1, F.size(F.split(below, "/")) - 1)
    return {
        "image_id": below,
        "owner_id": F.lit("unknown"),
        "uploaded_at": F.col("source_modified_at"),
        "tags": F.filter(folders, lambda name: (name != "") & ~name.startswith("date=")),
        "deleted": F.lit(False),
        "landed_on": F.col("file_landed_on"),
        "source": F.col("source_uri"),
    }


def path_below(uri: str) -> Column:
    """Return the path of `source_uri` below the folder `uri`: the id of a picture without metadata."""
    return F.substr("source_uri", F.lit(len(uri) + 2))


def _statements(rows: DataFrame, **columns: Column) -> DataFrame:
    """Return `rows` with the columns of a statement: from `columns`, else from `rows`, else null."""
    return rows.select(
        *(
            columns.get(name, F.col(name) if name in rows.columns else F.lit(None)).cast(kind).alias(name)
            for name, kind in _COLUMNS.items()
        )
    )


def _rows(lines: DataFrame, listing: Listing) -> DataFrame:
    """Return metadata rows with the path of the file that each names; rows about files of other days are left out."""
    rows = parse(lines, FIELDS).withColumnsRenamed({"row": "line", "landed_on": "metadata_landed_on"}).drop("block")
    rows = rows.withColumn("named", F.when(F.expr(_WHOLE), F.concat("folder", F.lit("/"), F.col("file"))))
    if listing.roots == [listing.uri]:
        return rows
    roots = F.array(*(F.lit(f"{root}/") for root in listing.roots))
    of_these_days = F.exists(roots, lambda root: F.startswith("named", root))
    return rows.where(F.col("named").isNull() | (F.col("folder") != listing.uri) | of_these_days)


def _with_metadata(files: DataFrame, rows: DataFrame, uri: str) -> DataFrame:
    joined = rows.join(files, rows["named"] == files["source_uri"], "full_outer")
    rules = {f"({condition}) AND NOT ({_ALONE})": refusal for condition, refusal in RULES.items()}
    checked = refuse_where(joined.withColumn("landed_on", F.coalesce("metadata_landed_on", "file_landed_on")), rules)
    stated = {
        "image_id": F.col("image_id"),
        "owner_id": F.col("owner_id"),
        "uploaded_at": F.col("uploaded_at"),
        "tags": _tags(),
        # A row that names a file states that the image exists.
        "deleted": F.coalesce("deleted", F.when(F.col("file").isNotNull(), F.lit(False))),
        "landed_on": F.col("landed_on"),
        "source": F.coalesce("source", "source_uri"),
    }
    from_path = _facts_from_path(uri)
    values = {name: F.when(F.expr(_ALONE), from_path[name]).otherwise(value) for name, value in stated.items()}
    return _statements(checked, **values, line=F.coalesce("line", F.lit(0)))


def _tags() -> Column:
    """Return the tags: a JSON list, or in CSV one text divided by | or a comma; null if the row has no tags."""
    as_list = F.from_json("tags", "array<string>")
    # Not F.trim itself: it has two parameters, so Spark would pass the index too, and trim its digits.
    divided = F.filter(F.transform(F.split("tags", r"[|,]"), lambda tag: F.trim(tag)), lambda tag: tag != "")
    known = F.when(F.col("tags").startswith("["), as_list).otherwise(divided)
    return F.when(F.col("tags").isNotNull(), F.coalesce(known, F.array().cast("array<string>")))
