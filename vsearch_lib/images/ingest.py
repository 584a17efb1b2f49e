"""From landed rows to table rows: decode what is new, keep what is known, list what is refused."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from vsearch_lib.images.decode import Limits, RefusedPicture, normalise
from vsearch_lib.storage import read_bytes

SAME_FILE = ["source_uri", "source_bytes", "source_modified_at"]
FACTS = ["sha256", "phash", "width", "height", "mode"]
_DECODED = pa.schema(
    [
        ("source_uri", pa.string()),
        ("source_bytes", pa.int64()),
        ("source_modified_at", pa.timestamp("us", "UTC")),
        ("sha256", pa.string()),
        ("phash", pa.string()),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("mode", pa.string()),
        ("jpeg", pa.binary()),
        ("reason", pa.string()),
        ("message", pa.string()),
    ]
)
_DECODED_DDL = (
    "source_uri string, source_bytes bigint, source_modified_at timestamp, sha256 string, phash string, width int, "
    "height int, mode string, jpeg binary, reason string, message string"
)


def files_to_decode(landed: DataFrame, images: DataFrame, quarantine: DataFrame) -> DataFrame:
    """Return the landed files that neither `images` nor `quarantine` has seen with this size and modification time."""
    files = _files(landed).join(images, SAME_FILE, "left_anti")
    return files.join(_refused(quarantine), SAME_FILE, "left_anti")


def files_refused_before(landed: DataFrame, quarantine: DataFrame) -> DataFrame:
    """Return the landed files that an earlier run refused and that have not changed since."""
    return _files(landed).join(_refused(quarantine), SAME_FILE, "left_semi")


def _files(landed: DataFrame) -> DataFrame:
    return landed.where("reason IS NULL AND NOT deleted").select(SAME_FILE).distinct()


def _refused(quarantine: DataFrame) -> DataFrame:
    return quarantine.where("table = 'images' AND line = 0").withColumnRenamed("source", "source_uri")


def decode(files: DataFrame, limits: Limits, partitions: int) -> DataFrame:
    """Read, hash, check and normalise each file on the workers; one row a file, with `reason` where it was refused."""
    return files.repartition(partitions).mapInArrow(_decoder(limits), _DECODED_DDL)


def image_rows(landed: DataFrame, images: DataFrame, decoded: DataFrame, now: datetime) -> DataFrame:
    """Return rows of `images` for what landed: fresh facts where the file was decoded, known ones where it was not.

    A landed deletion keeps the image's facts and sets `deleted_at`, once; a later row without it restores the image.
    """
    accepted = landed.where("reason IS NULL")
    metadata = ["image_id", "owner_id", "uploaded_at", "tags", "visibility", "moderation"]
    living = accepted.where("NOT deleted")
    facts = decoded.where("reason IS NULL").select(*SAME_FILE, *FACTS)
    facts = facts.unionByName(images.select(*SAME_FILE, *FACTS)).dropDuplicates(SAME_FILE)
    alive = living.join(facts, SAME_FILE).select(
        *metadata,
        F.to_date("uploaded_at").alias("upload_date"),
        *SAME_FILE,
        *FACTS,
        F.lit(None).cast("timestamp").alias("deleted_at"),
    )
    gone = accepted.where("deleted").select("image_id").join(images, "image_id")
    gone = gone.withColumn("deleted_at", F.coalesce("deleted_at", F.lit(now)))
    return alive.unionByName(gone.select(alive.columns))


def quarantine_rows(landed: DataFrame, decoded: DataFrame, run_id: str, now: datetime) -> DataFrame:
    """Return rows of `quarantine`: refused metadata rows and refused files."""
    rows = landed.where("reason IS NOT NULL").select(
        "source", "line", "reason", "message", F.col("text").alias("payload"), "source_bytes", "source_modified_at"
    )
    files = decoded.where("reason IS NOT NULL").select(
        F.col("source_uri").alias("source"),
        F.lit(0).cast("bigint").alias("line"),
        "reason",
        "message",
        F.lit(None).cast("string").alias("payload"),
        "source_bytes",
        "source_modified_at",
    )
    both = rows.unionByName(files).dropDuplicates(["source", "line", "reason"])
    return both.select(
        F.lit(run_id).alias("run"), F.lit("images").alias("table"), *both.columns, F.lit(now).alias("first_seen")
    )


def _decoder(limits: Limits) -> Callable[[Iterable[pa.RecordBatch]], Iterable[pa.RecordBatch]]:
    def decode_batches(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for row in batch.to_pylist():
                # One picture a batch: a worker never holds more than the one it works on.
                yield pa.RecordBatch.from_pylist([_decode_file(row, limits)], schema=_DECODED)

    return decode_batches


def _decode_file(row: dict[str, object], limits: Limits) -> dict[str, object]:
    refused = dict.fromkeys(("sha256", "phash", "width", "height", "mode", "jpeg"))
    try:
        size = int(str(row["source_bytes"]))
        if size > limits.max_bytes:
            raise RefusedPicture("too_many_bytes", f"{size} bytes, limit {limits.max_bytes}")
        content = read_bytes(str(row["source_uri"]))
        picture = normalise(content, limits)
    except RefusedPicture as refusal:
        return {**row, **refused, "reason": refusal.reason, "message": str(refusal)}
    except FileNotFoundError:
        return {**row, **refused, "reason": "missing_file", "message": "the file went away while it was taken in"}
    sha256 = hashlib.sha256(content).hexdigest()
    return {**row, **vars(picture), "sha256": sha256, "reason": None, "message": None}
