"""Interactions: impressions and clicks, places rounded on the way in."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from vsearch_lib.records.ingest import MAX_EVENT_AGE_DAYS, RecordKind

_REQUIRED = (
    "event_id",
    "user_id",
    "query_image_id",
    "displayed_image_id",
    "position",
    "type",
    "occurred_at",
    "request_id",
)


def _columns(rows: DataFrame) -> DataFrame:
    return (
        rows.withColumn("latitude", F.round("latitude", 1))
        .withColumn("longitude", F.round("longitude", 1))
        .withColumn("event_date", F.to_date("occurred_at"))
    )


INTERACTIONS = RecordKind(
    table="interactions",
    fields=(
        "event_id string, user_id string, query_image_id string, displayed_image_id string, position int, type string, "
        "dwell_ms bigint, latitude double, longitude double, occurred_at timestamp, request_id string, "
        "index_version string, variant string"
    ),
    key=("event_date", "event_id"),
    rules={
        **{f"{name} IS NULL": ("missing_field", f"{name} is missing") for name in _REQUIRED},
        "type NOT IN ('impression', 'click')": ("value_not_allowed", "type must be impression or click"),
        "position < 1": ("value_not_allowed", "position counts from 1"),
        "dwell_ms < 0": ("value_not_allowed", "dwell_ms must not be negative"),
        "abs(latitude) > 90 OR abs(longitude) > 180": ("value_not_allowed", "latitude or longitude is out of range"),
        "occurred_at >= date_add(landed_on, 2)": ("time_in_future", "occurred_at lies over a day after it landed"),
        f"occurred_at < date_sub(landed_on, {MAX_EVENT_AGE_DAYS})": ("time_too_old", "occurred_at lies years back"),
    },
    to_columns=_columns,
    about={"user_id": "user", "query_image_id": "image", "displayed_image_id": "image"},
    events=True,
)
