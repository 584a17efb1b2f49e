"""Rows that pass the checks of the tables."""


def good(table: str) -> dict[str, str]:
    """Return a row that passes the checks of `table`: SQL literals of the columns that the checks name."""
    rows = {
        "images": {
            "visibility": "'public'",
            "moderation": "'ok'",
            "width": "1",
            "height": "1",
            "sha256": "repeat('0', 64)",
        },
        "image_files": {"sha256": "'00'", "reason": "CAST(NULL AS string)"},
        "image_pixels": {"sha256": "repeat('0', 64)", "jpeg": "X'FF'"},
        "images_awaited": {"visibility": "CAST(NULL AS string)", "moderation": "CAST(NULL AS string)"},
        "erasures": {"kind": "'image'", "id_sha256": "repeat('0', 64)"},
        "users_pii": {"age": "CAST(NULL AS int)"},
        "interactions": {
            "query_image_id": "'q'",
            "query_upload_id": "CAST(NULL AS string)",
            "crop_x": "0.25D",
            "crop_y": "0D",
            "crop_width": "0.75D",
            "crop_height": "1D",
            "position": "1",
            "type": "'click'",
            "dwell_ms": "CAST(NULL AS bigint)",
            "latitude": "-90D",
            "longitude": "180D",
        },
        "judgements": {"score": "5"},
        "embeddings": {"vector": "array(0.6F, 0.8F)"},
        "view_features": {"views": "2", "vectors": "array(0.6F, 0.8F, 1F, 0F)"},
        "training_examples": {
            "label": "1",
            "candidate_image_ids": "array('a', 'b')",
            "weight": "0.5F",
            "split": "'train'",
            "source": "'click'",
        },
    }
    return rows.get(table, {})
