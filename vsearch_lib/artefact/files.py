"""Files of the published index: named by their content, and opened only if their bytes are what the name says."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from vsearch_lib.errors import ArtefactError
from vsearch_lib.storage import Store

FILES = "files"


@dataclass(frozen=True)
class StoredFile:
    """A file below `files/`, as a manifest names it."""

    file: str
    sha256: str
    bytes: int

    @property
    def key(self) -> str:
        """Where the file lies in the store."""
        return f"{FILES}/{self.file}"


def verified_file(store: Store, stored: StoredFile, cache: Path) -> Path:
    """Return a local file with the content that `stored` names, checked byte for byte.

    What lies in a bucket is copied into the folder `cache` first, where several processes and later runs find it.

    Raises:
        ArtefactError: the file is missing or its bytes are not what the manifest says. faiss would search a corrupted
            index without a word, so nothing is opened before this.
    """
    cached = cache / stored.file
    if cached.is_file():
        if _sha256(cached) == stored.sha256:
            return cached
        cached.unlink(missing_ok=True)
    path = store.fetch(stored.key, cached)
    found = _sha256(path)
    if found != stored.sha256:
        cached.unlink(missing_ok=True)
        raise ArtefactError(f"{store.uri}/{stored.key} is corrupted (sha256 {found[:12]}…): roll back or publish again")
    return path


def _sha256(path: Path) -> str:
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
