"""Judgements: a person's score, 0 to 5, of how well one image answers a query image."""

from vsearch_lib.records.ingest import RecordKind

_REQUIRED = ("query_image_id", "image_id", "annotator", "score")

JUDGEMENTS = RecordKind(
    table="judgements",
    fields="query_image_id string, image_id string, annotator string, score int",
    key=("query_image_id", "image_id", "annotator"),
    rules={
        **{f"{name} IS NULL": ("missing_field", f"{name} is missing") for name in _REQUIRED},
        "score < 0 OR score > 5": ("value_not_allowed", "score must be 0 to 5"),
    },
    to_columns=lambda rows: rows,
)
