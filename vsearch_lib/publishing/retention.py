"""Published versions are verified, served again by a rollback, and deleted when they are old."""

import tempfile
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from vsearch_lib.artefact.content import digest
from vsearch_lib.artefact.files import FILES, verified_file
from vsearch_lib.artefact.manifest import Manifest
from vsearch_lib.artefact.pointer import (
    POINTER,
    Pointer,
    manifest_key,
    read_manifest,
    read_pointer,
    read_version,
    versions,
)
from vsearch_lib.errors import ArtefactError, UsageError
from vsearch_lib.index.candidate import CANDIDATES
from vsearch_lib.publishing.publication import move_pointer
from vsearch_lib.storage import Store


@dataclass(frozen=True)
class Collected:
    """What a garbage collection deleted."""

    versions: list[str]
    files: int
    bytes: int


def known_version(store: Store, version: str | None) -> Manifest:
    """Return the manifest of `version`, or of the served version if it is None.

    Raises:
        UsageError: there is no such version, or nothing is served.
        ArtefactError: the manifest is invalid, or is not the one that the pointer names.
    """
    pointer = read_pointer(store)
    if pointer is None and version is None:
        raise UsageError(f"nothing is published at {store.uri}")
    if pointer and version in (None, pointer.version):
        return read_manifest(store, pointer)
    return _retained(store, str(version))


def damages(store: Store, manifest: Manifest) -> list[str]:
    """Return a line for each file of a version that is missing or differs from the manifest."""
    lines = []
    with tempfile.TemporaryDirectory(prefix="vsearch-verify-") as folder:
        for stored in manifest.files:
            try:
                path = verified_file(store, stored, Path(folder))
            except ArtefactError as error:
                lines.append(str(error))
            else:
                if path.is_relative_to(folder):
                    path.unlink()
    return lines


def roll_back(store: Store, version: str | None, *, now: datetime) -> Pointer:
    """Serve a retained version again, by default the parent of the one that is served.

    A named version also replaces a damaged pointer.

    Raises:
        UsageError: there is no such version, or it is served already.
        ArtefactError: one of its files is missing or corrupted; the pointer stays.
        PublishConflict: another publisher moved the pointer meanwhile.
    """
    before = store.read_versioned(POINTER)
    if before is None:
        raise UsageError(f"nothing is published at {store.uri}")
    target = version or known_version(store, None).parent
    if target is None:
        raise UsageError("the served version has no parent to go back to; name one of vsearch index list")
    if target == _served(store):
        raise UsageError(f"{target} is served already")
    manifest = _retained(store, target)
    if broken := damages(store, manifest):
        raise ArtefactError(f"{target} cannot be served again: {broken[0]}")
    sha256 = digest(store.read(manifest_key(target)))
    return move_pointer(store, target, sha256, expected=before, now=now)


def collect(store: Store, *, keep: int, unused_for: timedelta, now: datetime, canary: str | None = None) -> Collected:
    """Delete versions beyond the newest `keep`, and files and candidates that no kept version names.

    The served version, its parent and the `canary` are always kept. Unnamed files younger than `unused_for` also stay:
    they may belong to a build that is still running.
    """
    served = read_pointer(store)
    if served is None:
        return Collected([], 0, 0)
    known = versions(store)
    kept = {*known[-keep:], served.version}
    parent = read_version(store, served.version).parent
    kept.update(version for version in known if version in (parent, canary))
    named = {stored.file for version in kept for stored in read_version(store, version).files}
    old = [version for version in known if version not in kept]
    for version in old:  # before their files, so that a manifest never names a missing file
        store.delete(manifest_key(version))
    unused = [
        stored
        for prefix in (FILES, CANDIDATES)
        for stored in store.describe(prefix)
        if stored.key.removeprefix(f"{FILES}/") not in named and now - stored.modified_at > unused_for
    ]
    for stored in unused:
        store.delete(stored.key)
    return Collected(old, len(unused), sum(stored.bytes for stored in unused))


def _served(store: Store) -> str | None:
    """Return the version that CURRENT names, None if CURRENT is damaged."""
    try:
        pointer = read_pointer(store)
    except ArtefactError:
        return None
    return pointer.version if pointer else None


def _retained(store: Store, version: str) -> Manifest:
    if version not in versions(store):
        raise UsageError(f"{store.uri} has no version {version}; vsearch index list shows the versions")
    return read_version(store, version)
