"""Stores for the project's own files: a local folder, or a bucket behind S3's API.

Keys are relative to the store's URI. A reader never sees a half-written file: local files are renamed into place, and
object stores show an object whole or not at all.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import obstore
from obstore.exceptions import AlreadyExistsError, NotFoundError, PreconditionError
from obstore.store import S3Store

from vsearch_lib.errors import ArtefactError, PublishConflict, UsageError


@dataclass(frozen=True)
class Versioned:
    """Content, and the tag that a conditional replacement of it must name."""

    content: bytes
    etag: str


@dataclass(frozen=True)
class Stored:
    """A stored file or object: its key, size and time of change."""

    key: str
    bytes: int
    modified_at: datetime


class Store(Protocol):
    """The operations that the project needs of a store."""

    uri: str

    def read(self, key: str) -> bytes:
        """Return the bytes at `key`; ArtefactError if the key is missing."""

    def fetch(self, key: str, to: Path) -> Path:
        """Return a local file with the bytes of `key`: the file itself in a local folder, else a copy at `to`."""

    def write(self, key: str, content: Path) -> None:
        """Write the local file `content` to `key`, over anything that is there."""

    def write_new(self, key: str, content: bytes | Path) -> bool:
        """Write `key` unless it exists; return whether it was written. `content` is bytes or a local file."""

    def read_versioned(self, key: str) -> Versioned | None:
        """Return content and tag of `key`, None if the key is missing."""

    def replace(self, key: str, content: bytes, expected: Versioned | None) -> None:
        """Write `key` if it still has the tag of `expected` (None: is still missing); PublishConflict otherwise."""

    def describe(self, prefix: str) -> list[Stored]:
        """Return what is stored below `prefix/`, sorted by key."""

    def list(self, prefix: str) -> list[str]:
        """Return the keys below `prefix/`, sorted."""

    def delete(self, key: str) -> None:
        """Delete `key` if it exists."""


def open_store(uri: str) -> Store:
    """Return the store at `uri`: a path, file://… or s3://… (s3a:// is the same bucket in Spark's spelling).

    Credentials come from the environment, by S3's usual names; none is ever part of a URI.

    Raises:
        UsageError: the URI has another scheme.
    """
    path = local_path(uri)
    if path is not None:
        return _LocalFolder(path)
    return Bucket.of(uri)


def local_path(uri: str) -> Path | None:
    """Return the local path that `uri` names, None if it is not local. Spark writes file:/a, others file:///a."""
    if uri.startswith("file:"):
        return Path("/" + uri[len("file:") :].lstrip("/"))
    return None if "://" in uri else Path(uri)


def copy_folder(uri: str, to: Path) -> None:
    """Copy everything below `uri` into the local folder `to`."""
    store = open_store(uri)
    for key in store.list(""):
        file = to / key
        file.parent.mkdir(parents=True, exist_ok=True)
        fetched = store.fetch(key, file)
        if fetched != file:
            shutil.copyfile(fetched, file)


class _LocalFolder:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.uri = str(folder)

    def read(self, key: str) -> bytes:
        try:
            return self._path(key).read_bytes()
        except FileNotFoundError:
            raise ArtefactError(f"{self.uri}/{key} is missing") from None

    def fetch(self, key: str, to: Path) -> Path:
        path = self._path(key)
        if not path.is_file():
            raise ArtefactError(f"{self.uri}/{key} is missing")
        return path

    def write(self, key: str, content: Path) -> None:
        with _moved_to(self._path(key), os.replace) as temporary:
            shutil.copyfile(content, temporary)

    def write_new(self, key: str, content: bytes | Path) -> bool:
        path = self._path(key)
        if path.exists():
            return False
        try:
            with _moved_to(path, os.link) as temporary:
                if isinstance(content, Path):
                    shutil.copyfile(content, temporary)
                else:
                    temporary.write_bytes(content)
        except FileExistsError:
            if not path.exists():
                raise
            return False
        return True

    def read_versioned(self, key: str) -> Versioned | None:
        try:
            content = self._path(key).read_bytes()
        except FileNotFoundError:
            return None
        return Versioned(content, content.hex())

    def replace(self, key: str, content: bytes, expected: Versioned | None) -> None:
        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.with_name(f".{path.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if self.read_versioned(key) != expected:
                raise PublishConflict(f"{self.uri}/{key} was changed by another publisher; nothing was written")
            with _moved_to(path, os.replace) as temporary:
                temporary.write_bytes(content)

    def describe(self, prefix: str) -> list[Stored]:
        base = self._path(prefix)
        files = [file for file in base.rglob("*") if file.is_file() and not file.name.startswith(".")]
        facts = [(str(file.relative_to(self.folder)), file.stat()) for file in sorted(files)]
        return [Stored(key, stat.st_size, datetime.fromtimestamp(stat.st_mtime, UTC)) for key, stat in facts]

    def list(self, prefix: str) -> list[str]:
        return [stored.key for stored in self.describe(prefix)]

    def delete(self, key: str) -> None:
        self._path(key).unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        path = self.folder / key
        if ".." in Path(key).parts or Path(key).is_absolute():
            raise ArtefactError(f"{key}: a key must stay below {self.uri}")
        return path


@lru_cache(maxsize=256)
def _store(bucket: str, prefix: str, _environment: frozenset[tuple[str, str]]) -> S3Store:
    """Return one client for all who read one prefix of a bucket with the same credentials."""
    return S3Store(bucket, prefix=prefix or None)


class Bucket:
    """A prefix of a bucket."""

    @classmethod
    def of(cls, uri: str) -> "Bucket":
        """Return the bucket's prefix that `uri` names; UsageError if it names none."""
        scheme, _, path = uri.partition("://")
        if scheme not in ("s3", "s3a"):
            raise UsageError(f"{uri}: storage must be a folder, file:// or s3://")
        return cls(f"s3://{path}")

    def __init__(self, uri: str) -> None:
        self.uri = uri
        # The URI is split by hand: a URL parser would give the # or % of a name another meaning.
        bucket, _, prefix = uri.removeprefix("s3://").partition("/")
        self.store = _store(
            bucket, prefix.strip("/"), frozenset(item for item in os.environ.items() if item[0].startswith("AWS_"))
        )

    def read(self, key: str) -> bytes:
        try:
            return bytes(obstore.get(self.store, key).bytes())
        except (NotFoundError, FileNotFoundError):
            raise ArtefactError(f"{self.uri}/{key} is missing") from None

    def fetch(self, key: str, to: Path) -> Path:
        try:
            with _moved_to(to, os.replace) as temporary, temporary.open("wb") as sink:
                for block in obstore.get(self.store, key):
                    sink.write(block)
        except (NotFoundError, FileNotFoundError):
            raise ArtefactError(f"{self.uri}/{key} is missing") from None
        return to

    def write(self, key: str, content: Path) -> None:
        obstore.put(self.store, key, content)

    def write_new(self, key: str, content: bytes | Path) -> bool:
        try:
            obstore.put(self.store, key, content, mode="create", use_multipart=False)
        except AlreadyExistsError:
            return False
        return True

    def read_versioned(self, key: str) -> Versioned | None:
        try:
            result = obstore.get(self.store, key)
        except (NotFoundError, FileNotFoundError):
            return None
        return Versioned(bytes(result.bytes()), str(result.meta["e_tag"]))

    def replace(self, key: str, content: bytes, expected: Versioned | None) -> None:
        try:
            if expected is None:
                obstore.put(self.store, key, content, mode="create")
            else:
                obstore.put(self.store, key, content, mode={"e_tag": expected.etag})
        except (AlreadyExistsError, PreconditionError):
            raise PublishConflict(f"{self.uri}/{key} was changed by another publisher; nothing was written") from None

    def describe(self, prefix: str) -> list[Stored]:
        items = (item for page in obstore.list(self.store, prefix) for item in page)
        return sorted(map(stored, items), key=lambda item: item.key)

    def list(self, prefix: str) -> list[str]:
        return [stored.key for stored in self.describe(prefix)]

    def delete(self, key: str) -> None:
        obstore.delete(self.store, key)


@contextmanager
def _moved_to(path: Path, move: Callable[[Path, Path], None]) -> Iterator[Path]:
    """Yield a temporary file, then move it to `path`; `move` is `os.link` if `path` must be new."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=".", dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        temporary.chmod(0o644)
        move(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def stored(item: Any) -> Stored:
    """Return the `Stored` for an object that obstore lists."""
    return Stored(item["path"], item["size"], item["last_modified"])
