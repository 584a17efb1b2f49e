"""The columns of an index's rows: the facts of an image beside its vector."""

import pyarrow as pa

ROWS = pa.schema(
    [
        ("image_id", pa.string()),
        ("owner_id", pa.string()),
        ("visibility", pa.string()),
        ("moderation", pa.string()),
        ("phash", pa.string()),
        ("uploaded_at", pa.timestamp("us", "UTC")),
        ("tags", pa.list_(pa.string())),
        ("source_uri", pa.string()),
    ]
)
_EARLIER = pa.schema([field for field in ROWS if field.name != "source_uri"])


def with_all_columns(rows: pa.Table) -> pa.Table | None:
    """Return a shard's rows with the columns of ROWS, None if they are not the rows of an index.

    Shards that were written before there was a `source_uri` have null there, and a version may have both kinds.
    """
    if rows.schema.equals(_EARLIER):
        return rows.append_column(ROWS.field("source_uri"), pa.nulls(len(rows), pa.string()))
    return rows if rows.schema.equals(ROWS) else None
