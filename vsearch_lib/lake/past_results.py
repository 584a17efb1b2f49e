"""What a step made, and from which inputs: if the inputs are the same again, the step is skipped.

Each step has one note in `<lake.uri>/done_before/`. It only saves work and may be deleted at any time.
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
    """Return a hash of the positions of `tables`, of `others`, and of the code, for new code may make other results."""
    versions = {table: position and (position.table_id, position.version) for table, position in tables.items()}
    inputs = json.dumps({"code": _code_hash(), "tables": versions, "others": others}, sort_keys=True, default=str)
    return hashlib.sha256(inputs.encode()).hexdigest()


def load_result(lake: Lake, step: str, state: str) -> dict[str, Any] | None:
    """Return what `step` made when it last ran, None if the input state was not `state`."""
    stored = open_store(_results_uri(lake)).read_versioned(f"{step}.json")
    note = json.loads(stored.content) if stored else {}
    return note["made"] if note.get("state") == state else None


def save_result(lake: Lake, step: str, state: str, made: Mapping[str, Any]) -> None:
    """Save what `step` made from the input state `state`, in place of its earlier note."""
    store, key = open_store(_results_uri(lake)), f"{step}.json"
    # A concurrent run's note is just as valid; a result for any other state is computed again.
    with suppress(PublishConflict):
        store.replace(key, json.dumps({"state": state, "made": made}).encode(), store.read_versioned(key))


def _results_uri(lake: Lake) -> str:
    return f"{lake.uri}/done_before"


@cache
def _code_hash() -> str:
    digest = hashlib.sha256()
    for folder, names in _CODE_FILES:
        for file in sorted((PROJECT / folder).rglob(names)):
            digest.update(file.read_bytes())
    return digest.hexdigest()
