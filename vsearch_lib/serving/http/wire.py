"""What passes between the services, as JSON; vectors are base64 of little-endian float32."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from vsearch_lib.search.filter import Filter
from vsearch_lib.serving.candidates import Facts
from vsearch_lib.vectors import Vectors


class Message(BaseModel):
    """What one service asks another."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Wanted(Message):
    """A `Filter`."""

    owner_id: str | None
    tags: tuple[str, ...]
    uploaded_from: datetime | None
    uploaded_before: datetime | None
    viewer_id: str | None

    def as_filter(self) -> Filter:
        """Return the filter."""
        return Filter(self.owner_id, self.tags, self.uploaded_from, self.uploaded_before, self.viewer_id)


class Find(Message):
    """What `Neighbours.find` takes, and the version to search."""

    version: str
    query: str
    depth: Annotated[int, Field(ge=1)]
    wanted: Wanted
    vectors: bool


class Known(Message):
    """What `Neighbours.known` takes, and the version to look in."""

    version: str
    image_ids: tuple[str, ...]
    viewer_id: str | None


class Embed(Message):
    """Pictures in the form that is stored, as base64, and the version of the model to embed them with."""

    model_version: str
    jpegs: tuple[str, ...]


def as_text(content: bytes) -> str:
    """Return bytes as base64."""
    return base64.b64encode(content).decode()


def as_bytes(text: str) -> bytes:
    """Return the bytes of base64; a ValueError if it is none."""
    return base64.b64decode(text, validate=True)


def vectors_as_text(vectors: Vectors) -> str:
    """Return vectors of any shape as base64."""
    return as_text(np.ascontiguousarray(vectors, dtype="<f4").tobytes())


def vectors_of(text: str, count: int) -> Vectors:
    """Return `count` vectors (count, d); a ValueError if the text does not hold so many finite ones."""
    vectors = np.frombuffer(as_bytes(text), dtype="<f4").astype(np.float32)
    if not np.isfinite(vectors).all():
        raise ValueError("a vector has numbers that are not finite")
    return vectors.reshape(count, -1) if count else np.zeros((0, 0), np.float32)


def filter_as_json(wanted: Filter) -> dict[str, Any]:
    """Return a filter as JSON."""
    return Wanted(**asdict(wanted)).model_dump(mode="json")


def facts_as_json(facts: Sequence[Facts]) -> list[dict[str, Any]]:
    """Return facts as JSON."""
    return [{**vars(one), "uploaded_at": one.uploaded_at.isoformat()} for one in facts]


def facts_of(rows: Sequence[Mapping[str, Any]]) -> list[Facts]:
    """Return facts from their JSON."""
    return [Facts.of_row({**row, "uploaded_at": datetime.fromisoformat(row["uploaded_at"])}) for row in rows]
