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
    ]
)
