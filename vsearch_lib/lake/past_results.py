"""What a step made, and from which inputs: if they are the same again, the step is skipped.

Each step has one note in `<lake.uri>/done_before/`. It saves work, and may be deleted at any time.
"""

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from typing import Any

from vsearch_lib.config import PROJECT
from vsearch_lib.errors import PublishConflict
from vsearch_lib.lake.changes import Position
from vsearch_lib.lake.tables import Lake
from vsearch_lib.storage import open_store

_CODE_FILES = (("vsearch_lib", "*.py"), ("vsearch_lib", "*.j2"), ("jobs", "*.py"), ("schemas", "*.json"))


def input_state(tables: Mapping[str, Position | None], **others: object) -> str:
    """Return a hash of where `tables` stand, of `others`, and of the code: another version may make something else."""
    at = {table: place and (place.table_id, place.version) for table, place in tables.items()}
    said = json.dumps({"code": _code_hash(), "tables": at, "others": others}, sort_keys=True, default=str)
    return hashlib.sha256(said.encode()).hexdigest()


def load_result(lake: Lake, step: str, state: str) -> dict[str, Any] | None:
    """Return what `step` noted when it was last done, None if that was another `state`."""
    note = open_store(_results_uri(lake)).read_versioned(f"{step}.json")
    said = json.loads(note.content) if note else {}
    return said["made"] if said.get("state") == state else None


def save_result(lake: Lake, step: str, state: str, made: Mapping[str, Any]) -> None:
    """Note what `step` made of `state`, in place of what it made before."""
    store, key = open_store(_results_uri(lake)), f"{step}.json"
    # What a rival noted meanwhile is equally valid; any other state is computed again.
    with suppress(PublishConflict):
        store.replace(key, json.dumps({"state": state, "made": made}).encode(), store.read_versioned(key))


def _results_uri(lake: Lake) -> str:
    return f"{lake.uri}/done_before"


@cache
def _code_hash() -> str:
    found = hashlib.sha256()
    for folder, names in _CODE_FILES:
        for file in sorted((PROJECT / folder).rglob(names)):
            found.update(file.read_bytes())
    return found.hexdigest()
