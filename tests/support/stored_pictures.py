"""Writes images and their pixels into a lake directly, for tests of code that reads them."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from vsearch_lib.lake import Lake
from vsearch_lib.lake.schema import table_schema

DAY = datetime(2026, 3, 1, tzinfo=UTC)
_DATED_FACTS = ("file", "owner_id", "uploaded_at", "tags", "visibility", "moderation", "deleted")
_FILE = {"phash": "0" * 16, "width": 96, "height": 80, "mode": "RGB"}


def image(image_id: str, sha256: str, **facts: object) -> dict[str, object]:
    """A complete row of `images`, public and not deleted unless `facts` say otherwise."""
    state = {"visibility": "public", "moderation": "ok", "deleted_at": None}
    upload = {"owner_id": "o", "uploaded_at": DAY, "upload_date": DAY.date(), "tags": [], "source_uri": "u"}
    dates = {"said_on": dict.fromkeys(_DATED_FACTS, DAY.date())}
    return {"image_id": image_id, "sha256": sha256, **state, **upload, **dates, **_FILE, **facts}


def store(lake: Lake, images: Sequence[Mapping[str, object]], jpegs: Mapping[str, bytes]) -> None:
    """Write rows of `images`, and the JPEGs of `jpegs`, which maps sha256 to content."""
    pixels = [
        {"sha256": key, "jpeg": jpeg, "brightness": 1.0, "sharpness": 1.0, **_FILE} for key, jpeg in jpegs.items()
    ]
    for table, rows in (("images", images), ("image_pixels", pixels)):
        columns = table_schema(table).columns
        kinds = ", ".join(f"`{column.name}` {column.type}" for column in columns)
        lake.upsert(table, lake.spark.createDataFrame([[row[c.name] for c in columns] for row in rows], kinds))
