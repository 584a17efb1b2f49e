"""Users: data that identifies a person is stored in `users_pii` alone; `users` has an age band."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from vsearch_lib.records.ingest import RecordKind

_BANDS = ((18, "under 18"), (25, "18-24"), (35, "25-34"), (45, "35-44"), (55, "45-54"), (65, "55-64"))


def _age_band() -> Column:
    band = F.when(F.col("age").isNull(), "unknown")
    for below, name in _BANDS:
        band = band.when(F.col("age") < below, name)
    return band.otherwise("65+")


def _columns(rows: DataFrame) -> DataFrame:
    return rows.withColumn("age_band", _age_band())


USERS = RecordKind(
    table="users",
    fields="user_id string, username string, age int, email string, gender string, city string, country string",
    key=("user_id",),
    rules={
        "user_id IS NULL OR user_id = ''": ("missing_field", "user_id is missing"),
        "age < 0 OR age > 130": ("value_not_allowed", "age must be 0 to 130 years"),
    },
    to_columns=_columns,
)
