"""Interactions: impressions and clicks; their coordinates are rounded before they are stored.

The query is an image of the catalogue or an uploaded picture, and perhaps a part of it: the box that the user drew.
"""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from vsearch_lib.records.ingest import MAX_EVENT_AGE_DAYS, RecordKind

_REQUIRED = (
    "event_id",
    "user_id",
    "displayed_image_id",
    "position",
    "type",
    "occurred_at",
    "request_id",
)
_CROP = "crop_x, crop_y, crop_width, crop_height"
# A sum of two fractions may be a little above 1.
_OUTSIDE = (
    "crop_x < 0 OR crop_y < 0 OR crop_width <= 0 OR crop_height <= 0 "
    "OR crop_x + crop_width > 1.000001 OR crop_y + crop_height > 1.000001"
)


def _columns(rows: DataFrame) -> DataFrame:
    rounded = {name: _rounded_to_tenth(F.col(name)) for name in ("latitude", "longitude")}
    return rows.withColumns({**rounded, "event_date": F.to_date("occurred_at")})


def _rounded_to_tenth(degrees: Column) -> Column:
    # Like F.round (halves away from zero), but without its decimals, which take a thirtieth of the time of the job.
    return F.floor(F.abs(degrees) * 10 + 0.5) * F.when(degrees < 0, -1).otherwise(1) / 10


INTERACTIONS = RecordKind(
    table="interactions",
    fields=(
        "event_id string, user_id string, query_image_id string, query_upload_id string, crop_x double, crop_y double, "
        "crop_width double, crop_height double, displayed_image_id string, position int, type string, dwell_ms bigint, "
        "latitude double, longitude double, occurred_at timestamp, request_id string, index_version string, "
        "variant string"
    ),
    key=("event_date", "event_id"),
    rules={
        **{f"{name} IS NULL": ("missing_field", f"{name} is missing") for name in _REQUIRED},
        "query_image_id IS NULL AND query_upload_id IS NULL": (
            "missing_field",
            "query_image_id and query_upload_id are missing: one of them names the query",
        ),
        f"size(array_compact(array({_CROP}))) NOT IN (0, 4)": (
            "missing_field",
            f"only some of {_CROP} are given: a crop needs all four",
        ),
        _OUTSIDE: ("value_not_allowed", "the crop is not inside the picture; give it in fractions of width and height"),
        "type NOT IN ('impression', 'click')": ("value_not_allowed", "type must be impression or click"),
        "position < 1": ("value_not_allowed", "position must be 1 or more"),
        "dwell_ms < 0": ("value_not_allowed", "dwell_ms must not be negative"),
        "abs(latitude) > 90 OR abs(longitude) > 180": ("value_not_allowed", "latitude or longitude is out of range"),
        "occurred_at >= date_add(landed_on, 2)": (
            "time_in_future",
            "occurred_at is more than a day after the landing day",
        ),
        f"occurred_at < date_sub(landed_on, {MAX_EVENT_AGE_DAYS})": (
            "time_too_old",
            f"occurred_at is more than {MAX_EVENT_AGE_DAYS} days before the landing day",
        ),
    },
    to_columns=_columns,
    events=True,
)
