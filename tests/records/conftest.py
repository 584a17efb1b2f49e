"""Landed record files, and their accepted and refused rows."""

import gzip
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import pytest

from vsearch_lib.lake import table_schema
from vsearch_lib.landing.listing import list_landed
from vsearch_lib.records.ingest import RecordKind, landed_records

Content = Sequence[object] | str
LANDED_ON = date(2024, 5, 7)


def write(file: Path, content: Content) -> None:
    """Write objects as JSON lines (texts among them unchanged), or write one text unchanged."""
    lines = [line if isinstance(line, str) else json.dumps(line) for line in content]
    text = content if isinstance(content, str) else "".join(f"{line}\n" for line in lines)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(gzip.compress(text.encode()) if file.name.endswith(".gz") else text.encode())


@pytest.fixture(scope="session")
def event():
    """Build a valid impression; keyword arguments replace its fields."""

    def build(event_id: str | None, **more: object) -> dict[str, object]:
        return {
            "event_id": event_id,
            "user_id": "u",
            "query_image_id": "q",
            "displayed_image_id": "d",
            "position": 1,
            "type": "impression",
            "occurred_at": "2024-05-06T07:08:09Z",
            "request_id": "r",
            **more,
        }

    return build


@pytest.fixture
def land(settings):
    """Land a file in the landing zone of the test's settings."""
    return lambda name, content: write(Path(settings.landing.uri) / name, content)


@pytest.fixture(scope="session")
def read_records(spark, tmp_path_factory):
    """Land files and read them: accepted rows by the last column of their key, refused rows by file name and line."""

    def read(kind: RecordKind, files: Mapping[str, Content], erased: Sequence[tuple[str, str]] = ()) -> SimpleNamespace:
        folder = tmp_path_factory.mktemp("landing")
        for name, content in files.items():
            write(folder / name, content)
        erasures = spark.createDataFrame(list(erased), "kind string, id_sha256 string")
        listing = list_landed(str(folder))
        listing = replace(listing, files=[file._replace(landed_on=LANDED_ON) for file in listing.files])
        landed = landed_records(spark, kind, listing, table_schema(kind.table), erasures)
        accepted = landed.accepted.collect()
        refused = landed.refused().collect()
        by_key = {row[kind.key[-1]]: row.asDict() for row in accepted}
        assert len(by_key) == len(accepted), "each key occurs once"
        by_line = {(Path(row["source"]).name, row["line"]): row.asDict() for row in refused}
        return SimpleNamespace(accepted=by_key, refused=by_line)

    return read
