"""The candidate, a built version that is saved for its gate, and the note of the template that was refused last."""

import json
from contextlib import suppress
from dataclasses import asdict

from vsearch_lib.artefact.content import json_bytes
from vsearch_lib.artefact.manifest import Manifest, OperatingPoint, decode, encode
from vsearch_lib.errors import PublishConflict
from vsearch_lib.storage import Store

REFUSED_TEMPLATE = "REFUSED"
CANDIDATES = "candidates"


def save_candidate(store: Store, run_id: str, manifest: Manifest) -> None:
    """Save what a run built, for its gate; it replaces what the run built before. Searchers do not read it."""
    key = _candidate_key(run_id)
    store.replace(key, encode(manifest), store.read_versioned(key))


def read_candidate(store: Store, run_id: str) -> Manifest | None:
    """Return what the run built last, None if it built nothing."""
    key = _candidate_key(run_id)
    stored = store.read_versioned(key)
    return decode(stored.content, f"{store.uri}/{key}") if stored else None


def save_refusal(store: Store, manifest: Manifest) -> None:
    """Record that the gate refused a version of this template at this operating point."""
    refused = {"template_sha256": manifest.template.sha256, "version": manifest.version}
    note = json_bytes({**refused, "search": asdict(manifest.search)})
    # A concurrent run's note is just as valid, and a conflict must not hide the refusal that the caller reports.
    with suppress(PublishConflict):
        store.replace(REFUSED_TEMPLATE, note, store.read_versioned(REFUSED_TEMPLATE))


def refused_template(store: Store, *, search: OperatingPoint) -> str | None:
    """Return the sha256 of the template that the gate refused last, if it was searched at this operating point."""
    stored = store.read_versioned(REFUSED_TEMPLATE)
    note = json.loads(stored.content) if stored else {}
    return str(note["template_sha256"]) if note.get("search") == asdict(search) else None


def _candidate_key(run_id: str) -> str:
    return f"{CANDIDATES}/{run_id}.json"
