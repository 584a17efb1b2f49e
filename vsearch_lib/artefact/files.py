"""Files of the published index, named by the hash of their content and opened only if their bytes match it."""

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
        """The file's key in the store."""
        return f"{FILES}/{self.file}"


def verified_file(store: Store, stored: StoredFile, cache: Path) -> Path:
    """Return a local file with the content that `stored` names, checked byte for byte.

    A file in a bucket is first copied into the folder `cache`, which several processes and later runs share.

    Raises:
        ArtefactError: the file is missing or its bytes differ from the manifest's sha256. faiss would search a
            corrupted index without an error, so every file is verified before it is opened.
    """
    cached = cache / stored.file
    if cached.is_file():
        if _sha256(cached) == stored.sha256:
            return cached
        cached.unlink(missing_ok=True)
    path = store.fetch(stored.key, cached)
    sha256 = _sha256(path)
    if sha256 != stored.sha256:
        cached.unlink(missing_ok=True)
        raise ArtefactError(
            f"{store.uri}/{stored.key} is corrupted (sha256 {sha256[:12]}…): roll back or publish again"
        )
    return path


def _sha256(path: Path) -> str:
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
