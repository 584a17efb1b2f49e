"""Lists and reads the files and objects of others, in local folders and in buckets."""

import errno
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

import obstore
from obstore.exceptions import BaseError, InvalidPathError, NotFoundError, PermissionDeniedError
from obstore.store import S3Store

from vsearch_lib.storage.stores import Bucket, Stored, local_path, stored


def read_bytes(uri: str) -> bytes:
    """Return the bytes of the file or object at `uri`.

    Raises:
        OSError: it does not exist (FileNotFoundError), or it may not be read (PermissionError).
    """
    path = local_path(uri)
    if path is not None:
        return path.read_bytes()
    folder, _, name = uri.rpartition("/")
    with _as_os_errors(uri):
        return bytes(obstore.get(Bucket.of(folder).store, name).bytes())


def open_file(uri: str) -> BinaryIO:
    """Open the file or object at `uri` for reading; an object is fetched block by block.

    Raises:
        OSError: it does not exist (FileNotFoundError), or it may not be read (PermissionError).
    """
    path = local_path(uri)
    if path is not None:
        return path.open("rb")
    folder, _, name = uri.rpartition("/")
    with _as_os_errors(uri):
        return io.BufferedReader(_Object(obstore.open_reader(Bucket.of(folder).store, name)))


class _Object(io.RawIOBase):
    """An object as a raw stream for Python's readers."""

    def __init__(self, reader: "obstore.ReadableFile") -> None:
        super().__init__()
        self._reader = reader

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        block = bytes(self._reader.read(len(buffer)))
        buffer[: len(block)] = block
        return len(block)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return self._reader.seek(offset, whence)


@contextmanager
def _as_os_errors(uri: str) -> Iterator[None]:
    try:
        yield
    except NotFoundError:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), uri) from None
    except PermissionDeniedError:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), uri) from None
    except BaseError as error:
        raise OSError(errno.EIO, str(error).splitlines()[0], uri) from None


def objects_below(uri: str) -> tuple[list[Stored], list[tuple[str, str]]]:
    """Return the objects below the bucket's folder `uri`, with keys relative to it, and folders that cannot be listed.

    A key that obstore cannot represent (`a//b`, control characters) ends a listing: then each folder is listed by
    itself, and a folder with such a key is returned with the reason.

    Raises:
        OSError: the folder cannot be listed.
    """
    store = Bucket.of(uri).store
    with _as_os_errors(uri):
        try:
            objects = [stored(item) for page in obstore.list(store) for item in page]
            refused: list[tuple[str, str]] = []
        except InvalidPathError:
            objects, refused = _objects_by_folder(store, uri)
    # S3 consoles make a folder by writing an empty object whose key ends with a slash.
    folders = {"", *(parent for item in objects for parent in _parents(item.key))}
    return [item for item in objects if item.bytes or item.key not in folders], refused


def objects_in(uri: str) -> tuple[list[Stored], list[str]]:
    """Return the objects directly in the bucket's folder `uri`, and the names of the folders there.

    Raises:
        OSError: the folder cannot be listed, or obstore cannot represent one of the keys.
    """
    store = Bucket.of(uri).store
    with _as_os_errors(uri):
        level = obstore.list_with_delimiter(store)
    folders = ["", *level["common_prefixes"]]
    objects = [stored(item) for item in level["objects"]]
    return [item for item in objects if item.bytes or item.key not in folders], folders[1:]


def _parents(key: str) -> Iterator[str]:
    while "/" in key:
        key = key.rpartition("/")[0]
        yield key


def _objects_by_folder(store: S3Store, uri: str) -> tuple[list[Stored], list[tuple[str, str]]]:
    objects: list[Stored] = []
    refused: list[tuple[str, str]] = []
    folders = [""]
    while folders:
        folder = folders.pop()
        try:
            objects += [stored(item) for page in obstore.list(store, folder) for item in page]
            continue
        except InvalidPathError as error:
            why = str(error).splitlines()[0]
        try:
            level = obstore.list_with_delimiter(store, folder)
        except InvalidPathError:
            refused.append((f"{uri}/{folder}".rstrip("/"), f"a key below it cannot be read: {why}"))
            continue
        objects += [stored(item) for item in level["objects"]]
        folders += level["common_prefixes"]
    return objects, refused
