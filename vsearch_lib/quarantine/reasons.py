"""The reasons of refusals: a closed list of codes, and a function that splits rows into accepted and refused."""

from collections.abc import Mapping

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

REASONS: Mapping[str, str] = {
    "empty_file": "the file has no bytes",
    "too_many_bytes": "the file is larger than image.max_bytes",
    "too_many_pixels": "the picture is larger than image.max_pixels; it was not decoded",
    "too_small": "a side is shorter than image.min_side",
    "too_narrow": "the longer side is more than image.max_aspect times the shorter",
    "unsupported_format": "not a JPEG, PNG, WebP, GIF, TIFF, BMP, HEIC or AVIF, by content",
    "undecodable": "a picture by its header, but broken or truncated",
    "missing_file": "a metadata row names a file that did not land",
    "malformed_line": "a row that does not fit its header, or is not an object of the expected fields and types",
    "missing_metadata": "a picture landed beside metadata, and no readable row names it",
    "unread_metadata": "a file that looks like metadata and is not read; pictures beside it are not ingested",
    "malformed_header": "it is not certain which field each column is; nothing of the file is ingested",
    "broken_file": "a file of records or metadata that is cut, or whose content does not match its name",
    "unreadable": "a file or folder that cannot be opened or listed; it does not count in the refused share",
    "bad_name": "a file whose name is not UTF-8",
    "missing_field": "a required field is missing",
    "value_not_allowed": "a value outside its closed list or range",
    "time_in_future": "a time more than a day after its landing day",
    "time_too_old": "an event more than two years before its landing day",
    "erased": "it is about a user or an image whose data was erased; its content is not stored",
    "missing_pixels": "an image whose stored pixels are missing from image_pixels; it cannot be embedded",
    "vector_not_finite": "the vector that the encoder computes has a NaN or an infinite number",
    "vector_zero": "the vector that the encoder computes is zero, and has no direction",
}


def refuse_where(rows: DataFrame, rules: Mapping[str, tuple[str, str]]) -> DataFrame:
    """Add `reason` and `message` (null if accepted) to `rows`: the first rule whose condition is true decides.

    `rules` maps a SQL condition to a code of `REASONS` and a message. Rows that have a reason already keep it.
    """
    earlier = F.lit(None).cast("struct<reason: string, message: string>")
    if "reason" in rows.columns:
        earlier = F.when(F.col("reason").isNotNull(), F.struct("reason", "message"))
    refusals = [earlier]
    for condition, (code, text) in rules.items():
        if code not in REASONS:
            raise ValueError(f"{code} is not a code of REASONS")
        refusals.append(F.when(F.expr(condition), F.struct(F.lit(code).alias("reason"), F.lit(text).alias("message"))))
    # Both columns come from one, so that the rules are evaluated once.
    refused = rows.withColumn("_refusal", F.coalesce(*refusals))
    return refused.withColumns({name: F.col(f"_refusal.{name}") for name in ("reason", "message")}).drop("_refusal")
