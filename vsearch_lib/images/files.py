"""Picture files, each read once: the result is stored, and a file that has not changed is not read again."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from vsearch_lib.images.decode import Limits, RefusedPicture, normalise
from vsearch_lib.images.landed import FILE
from vsearch_lib.images.mentions import LOOKED_AT_BYTES, lists_pictures
from vsearch_lib.images.metadata import UNREAD
from vsearch_lib.storage import read_bytes

FACTS = ["sha256", "phash", "width", "height", "mode"]
_DECODED = pa.schema(
    [
        ("source_uri", pa.string()),
        ("source_bytes", pa.int64()),
        ("source_modified_at", pa.timestamp("us", "UTC")),
        ("landed_on", pa.date32()),
        ("sha256", pa.string()),
        ("phash", pa.string()),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("mode", pa.string()),
        ("brightness", pa.float64()),
        ("sharpness", pa.float64()),
        ("jpeg", pa.binary()),
        ("reason", pa.string()),
        ("message", pa.string()),
    ]
)
_DECODED_DDL = (
    "source_uri string, source_bytes bigint, source_modified_at timestamp, landed_on date, sha256 string, "
    "phash string, width int, height int, mode string, brightness double, sharpness double, jpeg binary, "
    "reason string, message string"
)
# Rows are returned in batches: an Arrow batch takes as long as half a photo, and a worker must not hold many photos.
_BATCH_ROWS, _BATCH_BYTES = 64, 4 * 2**20
_REFUSED = dict.fromkeys((*FACTS, "brightness", "sharpness", "jpeg"))


def files_to_read(landed: DataFrame, known: DataFrame) -> DataFrame:
    """Return the files of accepted statements that are new or changed; `known` are rows of `image_files`."""
    files = landed.where("reason IS NULL AND source_uri IS NOT NULL").select(*FILE, "file_landed_on").distinct()
    return files.withColumnRenamed("file_landed_on", "landed_on").join(known, FILE, "left_anti")


def read_files(files: DataFrame, limits: Limits, partitions: int) -> DataFrame:
    """Read, hash, check and normalise each file on the workers; one row per file, with a `reason` if it is refused."""
    return files.repartition(partitions).mapInArrow(_reader(limits), _DECODED_DDL)


def with_facts(landed: DataFrame, *read: DataFrame) -> DataFrame:
    """Return `landed` with the facts of its files; a statement whose file was refused is refused too.

    `read` are frames of `image_files` and of `read_files`; if two have the same file, the later frame is used.
    """
    verdict = F.col("reason").alias("file_reason"), F.col("message").alias("file_message")
    known, *fresh = (frame.select(*FILE, *FACTS, *verdict) for frame in read)
    for frame in fresh:
        known = known.join(frame, FILE, "left_anti").unionByName(frame)
    joined = landed.join(known, FILE, "left")
    refused = F.col("reason").isNull() & F.col("file_reason").isNotNull()
    whole_file = {"source": F.col("source_uri"), "line": F.lit(0), "text": F.lit(None)}
    for name, value in whole_file.items():
        joined = joined.withColumn(name, F.when(refused, value).otherwise(F.col(name)))
    return (
        joined.withColumn("reason", F.coalesce("reason", "file_reason"))
        .withColumn("message", F.coalesce("message", "file_message"))
        .drop("file_reason", "file_message")
    )


def _reader(limits: Limits) -> Callable[[Iterable[pa.RecordBatch]], Iterable[pa.RecordBatch]]:
    def read_batches(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        rows: list[dict[str, Any]] = []
        held_bytes = 0
        for batch in batches:
            for row in batch.to_pylist():
                rows.append(_read_file(row, limits))
                held_bytes += len(rows[-1]["jpeg"] or b"")
                if held_bytes >= _BATCH_BYTES or len(rows) >= _BATCH_ROWS:
                    yield pa.RecordBatch.from_pylist(rows, schema=_DECODED)
                    rows, held_bytes = [], 0
        if rows:
            yield pa.RecordBatch.from_pylist(rows, schema=_DECODED)

    return read_batches


def _read_file(row: dict[str, Any], limits: Limits) -> dict[str, Any]:
    try:
        size = int(str(row["source_bytes"]))
        if size > limits.max_bytes:
            raise RefusedPicture("too_many_bytes", f"{size} bytes, limit {limits.max_bytes}")
        content = read_bytes(str(row["source_uri"]))
        picture = normalise(content, limits)
    except RefusedPicture as refusal:
        if refusal.reason == "unsupported_format" and lists_pictures(content[:LOOKED_AT_BYTES]):
            return {**row, **_REFUSED, "reason": "unread_metadata", "message": UNREAD}
        return {**row, **_REFUSED, "reason": refusal.reason, "message": str(refusal)}
    except FileNotFoundError:
        return {**row, **_REFUSED, "reason": "missing_file", "message": "the file was removed while it was read"}
    except OSError as error:
        message = f"it cannot be opened: {error.strerror or error}"
        return {**row, **_REFUSED, "reason": "unreadable", "message": message}
    sha256 = hashlib.sha256(content).hexdigest()
    return {**row, **vars(picture), "sha256": sha256, "reason": None, "message": None}
