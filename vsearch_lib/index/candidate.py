"""A built version, kept for its gate, and what the gate said of the template when it refused one."""

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
    """Keep what a run built for its gate, in the place of what an earlier try built; searchers do not look here."""
    key = _candidate(run_id)
    store.replace(key, encode(manifest), store.read_versioned(key))


def read_candidate(store: Store, run_id: str) -> Manifest | None:
    """Return what the run built last, None where it built nothing."""
    stored = store.read_versioned(_candidate(run_id))
    return decode(stored.content, f"{store.uri}/{_candidate(run_id)}") if stored else None


def save_refusal(store: Store, manifest: Manifest) -> None:
    """Write down that the gate refused what was built from this template, as it was searched."""
    refused = {"template_sha256": manifest.template.sha256, "version": manifest.version}
    note = json_bytes({**refused, "search": asdict(manifest.search)})
    # What a rival wrote meanwhile is as true; and this run's own refusal is what has to be told.
    with suppress(PublishConflict):
        store.replace(REFUSED_TEMPLATE, note, store.read_versioned(REFUSED_TEMPLATE))


def refused_template(store: Store, *, search: OperatingPoint) -> str | None:
    """Return the sha256 of the template that the gate refused last, if it was searched at this operating point."""
    stored = store.read_versioned(REFUSED_TEMPLATE)
    note = json.loads(stored.content) if stored else {}
    return str(note["template_sha256"]) if note.get("search") == asdict(search) else None


def _candidate(run_id: str) -> str:
    return f"{CANDIDATES}/{run_id}.json"
