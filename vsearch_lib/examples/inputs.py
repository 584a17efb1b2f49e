"""All that a training snapshot is made from, at fixed versions, and the name that follows from it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pyspark.sql import DataFrame

from vsearch_lib.artefact.pointer import read_pointer
from vsearch_lib.config import Settings
from vsearch_lib.examples.snapshot import FORMAT
from vsearch_lib.lake import Lake
from vsearch_lib.storage import open_store

# Erasures add no rows, but after a new one no snapshot may be made from what was read before.
TABLES = ("images", "image_pixels", "near_duplicates", "judgements", "interactions", "erasures")


@dataclass(frozen=True)
class Inputs:
    """The inputs of a snapshot: table → version, for each table that exists, and the index version if it is used."""

    lake: Lake
    versions: Mapping[str, int]
    newest: datetime
    index: str | None

    def read(self, table: str) -> DataFrame:
        """Return `table` as it was when the inputs were listed."""
        return self.lake.read(table, version=self.versions.get(table))


def current_inputs(lake: Lake, settings: Settings) -> Inputs:
    """Return the inputs as they are now; the published index is one only if negatives come from it."""
    pointer = read_pointer(open_store(settings.index.uri)) if settings.examples.negatives.index_share else None
    tables = (*TABLES, "embeddings") if pointer else TABLES  # the vectors with which the index is searched
    versions = {table: version for table in tables if (version := lake.version(table)) is not None}
    times = [lake.committed_at(table) for table in versions]
    return Inputs(lake, versions, max(times, default=datetime.now(UTC)), pointer.version if pointer else None)


def made_from(inputs: Inputs, settings: Settings) -> dict[str, Any]:
    """Return everything that the content of a snapshot depends on, as JSON fields."""
    return {
        "format": FORMAT,
        "tables": {table: [inputs.lake.table_id(table), version] for table, version in inputs.versions.items()},
        "index": inputs.index,
        "examples": json.loads(settings.examples.model_dump_json()),
        "clicks": json.loads(settings.clicks.model_dump_json()),
        "epochs": negative_sets(settings),
    }


def negative_sets(settings: Settings) -> int:
    """Return how many sets of negatives a snapshot has: one, or one for each epoch."""
    each_epoch = settings.examples.negatives.drawn_per == "epoch" and settings.examples.candidates > 1
    return settings.training.epochs if each_epoch else 1


def snapshot_name(inputs: Inputs, fields: Mapping[str, Any]) -> str:
    """Return the name: the time of the newest input, then a hash of all inputs. Equal inputs have equal names."""
    digest = hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()[:8]
    return f"{inputs.newest:%Y%m%dT%H%M%SZ}-{digest}"
