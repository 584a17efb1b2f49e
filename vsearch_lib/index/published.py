"""The published artefact as readers see it: the pointer, manifests, and files whose bytes are what they are named."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vsearch_lib.errors import ArtefactError
from vsearch_lib.index import manifest as manifests
from vsearch_lib.storage import Store, Versioned

POINTER = "CURRENT"


@dataclass(frozen=True)
class Pointer:
    """What CURRENT says, and the tag that a conditional replacement of it must name."""

    version: str
    manifest: str
    manifest_sha256: str
    published_at: str
    publish_id: str
    stored: Versioned


def read_pointer(store: Store) -> Pointer | None:
    """Return the pointer, None where nothing has been published.

    Raises:
        ArtefactError: CURRENT is not a pointer.
    """
    stored = store.read_versioned(POINTER)
    if stored is None:
        return None
    try:
        fields = json.loads(stored.content)
        names = ("version", "manifest", "manifest_sha256", "published_at", "publish_id")
        return Pointer(**{name: str(fields[name]) for name in names}, stored=stored)
    except (ValueError, TypeError, KeyError) as error:
        raise ArtefactError(
            f"{store.uri}/{POINTER} is not a pointer ({error!r}): roll back to a retained version"
        ) from None


def read_manifest(store: Store, pointer: Pointer) -> manifests.Manifest:
    """Return the manifest that `pointer` names.

    Raises:
        ArtefactError: it is missing, not the one the pointer means, or not a manifest.
    """
    where = f"{store.uri}/{pointer.manifest}"
    content = store.read(pointer.manifest)
    if manifests.digest(content) != pointer.manifest_sha256:
        raise ArtefactError(f"{where} is not what {POINTER} says (sha256 differs): roll back or publish again")
    return manifests.decode(content, where)


def current_manifest(store: Store) -> manifests.Manifest | None:
    """Return the manifest being served, None where nothing has been published."""
    pointer = read_pointer(store)
    return read_manifest(store, pointer) if pointer else None


def verified_file(store: Store, entry: dict[str, Any], cache: Path) -> Path:
    """Return a local file with the content of a manifest's file entry, checked byte for byte.

    Raises:
        ArtefactError: the file is missing or its bytes are not what the manifest says. faiss would search a corrupted
            index without a word, so nothing is opened before this.
    """
    path = store.fetch(f"files/{entry['file']}", cache / entry["file"])
    with path.open("rb") as content:
        found = hashlib.file_digest(content, "sha256").hexdigest()
    if found != entry["sha256"]:
        raise ArtefactError(
            f"{store.uri}/files/{entry['file']} is corrupted (sha256 {found[:12]}…): roll back or publish again"
        )
    return path
