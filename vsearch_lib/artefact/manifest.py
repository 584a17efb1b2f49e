"""The manifest: what a version consists of and what it was made from, as `schemas/manifest.schema.json` defines it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any, Literal

import jsonschema

from vsearch_lib.artefact.content import json_bytes
from vsearch_lib.artefact.files import StoredFile
from vsearch_lib.artefact.gate_report import GateReport
from vsearch_lib.artefact.strangers import Strangers
from vsearch_lib.config import PROJECT
from vsearch_lib.errors import ArtefactError

Kind = Literal["full", "compacted", "delta"]


@dataclass(frozen=True)
class OperatingPoint:
    """How a version is searched: lists visited, and rows re-scored exactly."""

    nprobe: int
    shortlist: int


@dataclass(frozen=True)
class Shard:
    """Some rows of the index, as three files in one row order; their ids are `first_id` and the `rows` - 1 after it."""

    name: str
    first_id: int
    rows: int
    codes: StoredFile
    rows_file: StoredFile
    vectors: StoredFile

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any]) -> Shard:
        """Return the shard that a manifest's entry describes."""
        files = {part: StoredFile(**fields[part]) for part in ("codes", "rows_file", "vectors")}
        return cls(fields["name"], fields["first_id"], fields["rows"], **files)

    @property
    def files(self) -> tuple[StoredFile, StoredFile, StoredFile]:
        """Codes, rows and vectors."""
        return self.codes, self.rows_file, self.vectors


@dataclass(frozen=True)
class Measured:
    """How well a template suits the living rows; `schemas/manifest.schema.json` says what each field means."""

    rows: int
    imbalance: float
    quantization_error: float


@dataclass(frozen=True)
class Measures:
    """How well the template suited its rows when it was new, and how well it suits them now; None if not measured."""

    template: Measured | None = None
    now: Measured | None = None


@dataclass(frozen=True)
class ModelEntry:
    """The model that embedded the images: where it is registered, and the sha256 of each of its files."""

    version: str
    uri: str
    files: Mapping[str, str]


@dataclass(frozen=True)
class Manifest:
    """A version of the index; `schemas/manifest.schema.json` says what each field means."""

    version: str
    parent: str | None
    kind: Kind
    created_at: str
    dimension: int
    metric: str
    factory: str
    faiss_version: str
    search: OperatingPoint
    template: StoredFile
    template_sample: StoredFile
    measures: Measures
    shards: tuple[Shard, ...]
    deltas: tuple[Shard, ...]
    tombstones: tuple[StoredFile, ...]
    model: ModelEntry
    preprocessing: Mapping[str, Any]
    tables: Mapping[str, int]
    table_ids: Mapping[str, str]
    training_snapshot: str | None
    gate: GateReport
    counts: Mapping[str, int]
    strangers: Strangers | None = None

    @property
    def all_shards(self) -> tuple[Shard, ...]:
        """Shards, then deltas: everything that holds rows, in order of the row ids."""
        return self.shards + self.deltas

    @property
    def files(self) -> list[StoredFile]:
        """All the files that the version consists of."""
        parts = [file for shard in self.all_shards for file in shard.files]
        return [self.template, self.template_sample, *parts, *self.tombstones]

    @property
    def rows(self) -> int:
        """The number of rows, including dead ones."""
        return sum(shard.rows for shard in self.all_shards)


def encode(manifest: Manifest) -> bytes:
    """Return a manifest as JSON bytes, the same for the same manifest."""
    measures = {name: measured for name, measured in asdict(manifest.measures).items() if measured is not None}
    fields = {**asdict(manifest), "measures": measures, "gate": manifest.gate.fields()}
    del fields["strangers"]
    return json_bytes(fields | ({"strangers": manifest.strangers.fields()} if manifest.strangers else {}))


def decode(content: bytes, source: str) -> Manifest:
    """Return the manifest in `content`, which was read from `source`.

    Raises:
        ArtefactError: the content is not JSON, or does not satisfy the schema.
    """
    try:
        fields = json.loads(content)
        _validator().validate(fields)
    except ValueError as error:
        raise ArtefactError(f"{source} is not JSON: {error}") from None
    except jsonschema.ValidationError as error:
        raise ArtefactError(f"{source} is not a manifest: {error.json_path}: {error.message[:200]}") from None
    manifest = _from_fields(fields)
    _check_ids(manifest, source)
    return manifest


def _from_fields(fields: Mapping[str, Any]) -> Manifest:
    parsed = {
        "search": OperatingPoint(**fields["search"]),
        "template": StoredFile(**fields["template"]),
        "template_sample": StoredFile(**fields["template_sample"]),
        "measures": Measures(**{name: Measured(**measured) for name, measured in fields["measures"].items()}),
        "shards": tuple(map(Shard.from_fields, fields["shards"])),
        "deltas": tuple(map(Shard.from_fields, fields["deltas"])),
        "tombstones": tuple(StoredFile(**file) for file in fields["tombstones"]),
        "model": ModelEntry(**fields["model"]),
        "gate": GateReport.from_fields(fields["gate"]),
        "strangers": Strangers.from_fields(fields["strangers"]) if "strangers" in fields else None,
    }
    return Manifest(**{**fields, **parsed})


def _check_ids(manifest: Manifest, source: str) -> None:
    expected = 0
    for shard in manifest.all_shards:
        if shard.first_id != expected:
            raise ArtefactError(f"{source}: {shard.name} starts at id {shard.first_id}, expected {expected}")
        expected += shard.rows


@cache
def _validator() -> jsonschema.Draft202012Validator:
    # Made once: checking the schema itself takes longer than checking a manifest.
    schema = json.loads((PROJECT / "schemas" / "manifest.schema.json").read_text())
    return jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())
