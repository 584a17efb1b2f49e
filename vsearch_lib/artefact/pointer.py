"""The pointer to the served version, the list of all versions, and the manifest of each."""

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
    """The content of CURRENT, and `stored`, which a conditional replacement of it must name."""

    version: str
    manifest: str
    manifest_sha256: str
    published_at: str
    publish_id: str
    stored: Versioned


def read_pointer(store: Store) -> Pointer | None:
    """Return the pointer, None if nothing has been published.

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
        cause = f"{type(error).__name__}: {error}"
        raise ArtefactError(
            f"{store.uri}/{POINTER} is not a pointer ({cause}): roll back to one of vsearch index list"
        ) from None


def manifest_key(version: str) -> str:
    """Return the key of a version's manifest in the store."""
    return f"{MANIFESTS}/{version}.json"


def versions(store: Store) -> list[str]:
    """Return the versions that have a manifest, oldest first: their names sort by time."""
    names = [key.removeprefix(f"{MANIFESTS}/") for key in store.list(MANIFESTS)]
    return [name.removesuffix(".json") for name in names if name.endswith(".json")]


def read_version(store: Store, version: str) -> Manifest:
    """Return the manifest of a version, served or not.

    Raises:
        ArtefactError: there is no manifest of that name, or it is another version's.
    """
    key = manifest_key(version)
    return _of_version(version, store.read(key), f"{store.uri}/{key}")


def read_manifest(store: Store, pointer: Pointer) -> Manifest:
    """Return the manifest that `pointer` names.

    Raises:
        ArtefactError: it is missing, has another sha256 than the pointer says, or is another version's.
    """
    source = f"{store.uri}/{pointer.manifest}"
    content = store.read(pointer.manifest)
    if digest(content) != pointer.manifest_sha256:
        raise ArtefactError(f"{source} is not what {POINTER} says (sha256 differs): roll back or publish again")
    return _of_version(pointer.version, content, source)


def current_manifest(store: Store) -> Manifest | None:
    """Return the manifest of the served version, None if nothing has been published."""
    pointer = read_pointer(store)
    return read_manifest(store, pointer) if pointer else None


def _of_version(version: str, content: bytes, source: str) -> Manifest:
    manifest = decode(content, source)
    if manifest.version != version:
        raise ArtefactError(f"{source} is the manifest of {manifest.version}, not of {version}")
    return manifest
