"""The pointer: which version is served, which others there are, and the manifest of each."""

import json
from dataclasses import dataclass

from vsearch_lib.artefact.content import digest
from vsearch_lib.artefact.manifest import Manifest, decode
from vsearch_lib.errors import ArtefactError
from vsearch_lib.storage import Store, Versioned

POINTER = "CURRENT"
MANIFESTS = "manifests"


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
        why = f"{type(error).__name__}: {error}"
        raise ArtefactError(
            f"{store.uri}/{POINTER} is not a pointer ({why}): roll back to one of vsearch index list"
        ) from None


def manifest_key(version: str) -> str:
    """Where a version's manifest lies."""
    return f"{MANIFESTS}/{version}.json"


def versions(store: Store) -> list[str]:
    """Return the versions that have a manifest, oldest first: their names sort by time."""
    names = [key.removeprefix(f"{MANIFESTS}/") for key in store.list(MANIFESTS)]
    return [name.removesuffix(".json") for name in names if name.endswith(".json")]


def read_version(store: Store, version: str) -> Manifest:
    """Return the manifest of a version, served or not.

    Raises:
        ArtefactError: there is none of that name, or it is not that version's manifest.
    """
    key = manifest_key(version)
    return _of_version(version, store.read(key), f"{store.uri}/{key}")


def read_manifest(store: Store, pointer: Pointer) -> Manifest:
    """Return the manifest that `pointer` names.

    Raises:
        ArtefactError: it is missing, not the one the pointer means, or not that version's manifest.
    """
    where = f"{store.uri}/{pointer.manifest}"
    content = store.read(pointer.manifest)
    if digest(content) != pointer.manifest_sha256:
        raise ArtefactError(f"{where} is not what {POINTER} says (sha256 differs): roll back or publish again")
    return _of_version(pointer.version, content, where)


def current_manifest(store: Store) -> Manifest | None:
    """Return the manifest being served, None where nothing has been published."""
    pointer = read_pointer(store)
    return read_manifest(store, pointer) if pointer else None


def _of_version(version: str, content: bytes, where: str) -> Manifest:
    manifest = decode(content, where)
    if manifest.version != version:
        raise ArtefactError(f"{where} is the manifest of {manifest.version}, not of {version}")
    return manifest
