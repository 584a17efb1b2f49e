"""The manifest: what a version consists of and what it was made from, as `schemas/manifest.schema.json` rules it."""

import hashlib
import json
from functools import cache
from typing import Any

import jsonschema

from vsearch_lib.config import PROJECT
from vsearch_lib.errors import ArtefactError

Manifest = dict[str, Any]
PARTS = ("codes", "rows_file", "vectors")


def encode(content: dict[str, Any]) -> bytes:
    """Return JSON bytes, the same for the same content."""
    return json.dumps(content, indent=2, sort_keys=True).encode() + b"\n"


def decode(content: bytes, where: str) -> Manifest:
    """Return the manifest in `content`, read from `where`.

    Raises:
        ArtefactError: not JSON, or not what the schema asks for.
    """
    try:
        manifest: Manifest = json.loads(content)
        _validator().validate(manifest)
    except ValueError as error:
        raise ArtefactError(f"{where} is not JSON: {error}") from None
    except jsonschema.ValidationError as error:
        raise ArtefactError(f"{where} is not a manifest: {error.json_path}: {error.message[:200]}") from None
    _check_ids(manifest, where)
    return manifest


def digest(content: bytes) -> str:
    """Return the sha256 of `content` in hex."""
    return hashlib.sha256(content).hexdigest()


def shards_of(manifest: Manifest) -> list[dict[str, Any]]:
    """Return the entries that hold rows, in order of their ids: shards, then deltas."""
    return [*manifest["shards"], *manifest["deltas"]]


def files_of(manifest: Manifest) -> list[dict[str, Any]]:
    """Return the entries of all the files that a version consists of."""
    parts = [shard[part] for shard in shards_of(manifest) for part in PARTS]
    return [manifest["template"], manifest["template_sample"], *parts, *manifest["tombstones"]]


def rows_of(manifest: Manifest) -> int:
    """Return the number of rows of a version."""
    return sum(int(shard["rows"]) for shard in shards_of(manifest))


def bytes_of(manifest: Manifest, part: str) -> int:
    """Return the bytes that one part (of `PARTS`) takes over all shards."""
    return sum(int(shard[part]["bytes"]) for shard in shards_of(manifest))


def _check_ids(manifest: Manifest, where: str) -> None:
    expected = 0
    for shard in shards_of(manifest):
        if shard["first_id"] != expected:
            raise ArtefactError(f"{where}: {shard['name']} starts at id {shard['first_id']}, expected {expected}")
        expected += shard["rows"]


@cache
def _validator() -> jsonschema.Draft202012Validator:
    # Made once: looking at the schema itself takes longer than looking at a manifest.
    schema = json.loads((PROJECT / "schemas" / "manifest.schema.json").read_text())
    return jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())
