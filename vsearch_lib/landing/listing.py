"""All files of a landing folder, unreadable ones and clutter included, without opening any."""

import os
import re
import stat
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from vsearch_lib.landing.clutter import kind_of_clutter
from vsearch_lib.storage import Stored, local_path, objects_below, objects_in

_DAY = re.compile(r"/date=(\d{4}-\d{2}-\d{2})/")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_MILLISECOND = (datetime(1, 1, 2, tzinfo=UTC) - _EPOCH) // timedelta(milliseconds=1)
_LAST_MILLISECOND = (datetime(9999, 12, 31, tzinfo=UTC) - _EPOCH) // timedelta(milliseconds=1)


class LandedFile(NamedTuple):
    """A file, and the day on which it landed: that of its partition, else the day (UTC) of its last modification.

    `path` is a local path, or the URI of an object, with the scheme of the listed folder.
    """

    path: str
    bytes: int
    modified_ms: int
    landed_on: date

    @property
    def folder(self) -> str:
        """The folder of the file."""
        return self.path.rpartition("/")[0]

    @property
    def name(self) -> str:
        """The name of the file in its folder."""
        return self.path.rpartition("/")[2]


class RefusedFile(NamedTuple):
    """A file or folder that is refused as a whole, with a code of `quarantine.reasons.REASONS`."""

    path: str
    reason: str
    message: str


@dataclass(frozen=True)
class Listing:
    """The content of the folders `roots`, files in order of path: each is in `files`, in `refused`, or passed over.

    Attributes:
        roots: the folder `uri`, or the folders of the requested days in it.
        passed_over: kind of clutter → number of files.
        folders: the folders that could be listed.
        missing: the roots that do not exist.
        checksums: paths of Hadoop's checksum files, `.<name>.crc` beside a file.
        passed_over_inside: paths of clutter and links whose name, or a folder on whose path, is never clutter.
    """

    uri: str
    roots: list[str] = field(default_factory=list)
    files: list[LandedFile] = field(default_factory=list)
    refused: list[RefusedFile] = field(default_factory=list)
    passed_over: Counter[str] = field(default_factory=Counter)
    folders: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    checksums: set[str] = field(default_factory=set)
    passed_over_inside: list[str] = field(default_factory=list)


NamePredicate = Callable[[str], bool]


def list_landed(
    uri: str, dates: Sequence[date] | None = None, *, never_clutter: NamePredicate = lambda _: False
) -> Listing:
    """List the files below the folder `uri`.

    Args:
        dates: only the partitions `date=YYYY-MM-DD` of these days are listed, and files and folders beside them that
            are never clutter, because they may describe files in the partitions.
        never_clutter: whether the file or folder of this name is listed even if it looks like clutter.
    """
    folder = local_path(uri)
    listing = Listing(uri.rstrip("/") if folder is None else str(folder))
    listing.roots.extend([listing.uri] if dates is None else [f"{listing.uri}/date={day}" for day in dates])
    list_root = _list_bucket if folder is None else _list_folder
    for root in listing.roots:
        list_root(root, listing, never_clutter)
    if dates is not None:
        for root in _list_never_clutter(listing, never_clutter, is_local=folder is not None):
            list_root(root, listing, never_clutter)
    listing.files.sort()
    return listing


def _list_never_clutter(listing: Listing, never_clutter: NamePredicate, *, is_local: bool) -> list[str]:
    """Add the files beside the partitions that are never clutter to `listing`, and return such folders."""
    try:
        if is_local:
            with os.scandir(listing.uri) as listed:
                entries = [entry for entry in listed if never_clutter(entry.name)]
            folders = [entry.path for entry in entries if _is_folder(entry)]
            for entry in entries:
                if entry.path not in folders:
                    _add(entry, listing.uri, listing, never_clutter)
            return folders
        objects, names = objects_in(listing.uri)
        for item in objects:
            if never_clutter(item.key):
                _add_object(item, listing.uri, listing)
        return [f"{listing.uri}/{name}" for name in names if never_clutter(name)]
    except FileNotFoundError:
        return []
    except OSError as error:
        listing.refused.append(RefusedFile(listing.uri, "unreadable", f"the folder cannot be listed: {error.strerror}"))
        return []


def named_day(path: str) -> date | None:
    """Return the day of the partition that contains a path, None if there is none; date=2026-13-99 is no partition."""
    named = _DAY.search(path)
    try:
        return date.fromisoformat(named[1]) if named else None
    except ValueError:
        return None


def _landed_on(path: str, modified_ms: int) -> date:
    return named_day(path) or (_EPOCH + timedelta(milliseconds=modified_ms)).date()


def _list_bucket(root: str, listing: Listing, never_clutter: NamePredicate) -> None:
    try:
        objects, unreadable = objects_below(root)
    except OSError as error:
        listing.refused.append(RefusedFile(root, "unreadable", f"the folder cannot be listed: {error.strerror}"))
        return
    if not objects and not unreadable:
        listing.missing.append(root)
    for item in objects:
        kind = _clutter(item.key, never_clutter)
        if kind:
            _pass_over(kind, f"{root}/{item.key}", root, listing, never_clutter)
        else:
            _add_object(item, root, listing)
    for folder, message in unreadable:
        listing.refused.append(RefusedFile(folder, "unreadable", message))


def _add_object(item: Stored, root: str, listing: Listing) -> None:
    path, modified_ms = f"{root}/{item.key}", int((item.modified_at - _EPOCH) / timedelta(milliseconds=1))
    listing.files.append(LandedFile(path, item.bytes, modified_ms, _landed_on(path, modified_ms)))


def _list_folder(root: str, listing: Listing, never_clutter: NamePredicate) -> None:
    if not os.path.lexists(root):
        listing.missing.append(root)
        return
    # A link to this folder or to a folder above must not list everything below once more.
    visited = {_identity(str(parent)) for parent in _parents(os.path.realpath(root))}
    waiting, links = [root], list[str]()
    while waiting:
        for folder in waiting:
            links += _list_tree(folder, root, listing, visited, never_clutter)
        # Files are listed under their real folder if possible: links are followed after all real folders.
        waiting = []
        for link in links:
            identity = _identity(link)
            if identity is None or identity in visited:
                _pass_over("link to a listed folder", link, root, listing, never_clutter)
            else:
                visited.add(identity)
                waiting.append(link)
        links = []


def _list_tree(
    top: str, root: str, listing: Listing, visited: set[tuple[int, int] | None], never_clutter: NamePredicate
) -> list[str]:
    """List the files below `top`, and return the links to folders there."""
    links: list[str] = []
    for entry in _entries(top, listing, visited):
        if entry.is_symlink() and _is_utf8(entry.path) and _is_folder(entry):
            links.append(entry.path)
        else:
            _add(entry, root, listing, never_clutter)
    return links


def _add(entry: "os.DirEntry[str]", root: str, listing: Listing, never_clutter: NamePredicate) -> None:
    """Add an entry that is not a folder to `listing`: as a file, as a refused file, or as clutter."""
    path = entry.path
    if not _is_utf8(path):
        spelled = os.fsencode(path).decode("utf-8", "backslashreplace")
        listing.refused.append(RefusedFile(spelled, "bad_name", "its name is not UTF-8: rename it"))
        return
    kind = _clutter(os.path.relpath(path, root), never_clutter)
    if kind:
        _pass_over(kind, path, root, listing, never_clutter)
        return
    try:
        facts = entry.stat()
    except OSError as error:
        listing.refused.append(RefusedFile(path, "unreadable", _open_error(error, entry)))
        return
    if not stat.S_ISREG(facts.st_mode):
        listing.refused.append(RefusedFile(path, "unreadable", f"{_special_kind(facts.st_mode)}, not a file"))
        return
    modified_ms = max(_FIRST_MILLISECOND, min(facts.st_mtime_ns // 1_000_000, _LAST_MILLISECOND))
    listing.files.append(LandedFile(path, facts.st_size, modified_ms, _landed_on(path, modified_ms)))


def _entries(top: str, listing: Listing, visited: set[tuple[int, int] | None]) -> Iterator["os.DirEntry[str]"]:
    """Yield all entries below `top` that are not folders; links are not followed."""
    folders = [top]
    while folders:
        folder = folders.pop()
        visited.add(_identity(folder))
        try:
            with os.scandir(folder) as listed:
                entries = list(listed)
        except OSError as error:
            if isinstance(error, NotADirectoryError):
                message = "a file, not a folder"
            else:
                message = f"the folder cannot be listed: {error.strerror}"
            listing.refused.append(RefusedFile(folder, "unreadable", message))
            continue
        listing.folders.append(folder)
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                folders.append(entry.path)
            else:
                yield entry


def _pass_over(kind: str, path: str, root: str, listing: Listing, never_clutter: NamePredicate) -> None:
    listing.passed_over[kind] += 1
    if path.endswith(".crc"):
        listing.checksums.add(path)
    # The root itself may be such a folder.
    if any(never_clutter(name) for name in (root.rpartition("/")[2], *path.removeprefix(f"{root}/").split("/"))):
        listing.passed_over_inside.append(path)


def _clutter(below: str, never_clutter: NamePredicate) -> str | None:
    names = below.split("/")
    kind = kind_of_clutter(names)
    return None if kind and never_clutter(names[-1]) else kind


def _identity(path: str) -> tuple[int, int] | None:
    try:
        facts = os.stat(path)
    except OSError:
        return None
    return facts.st_dev, facts.st_ino


def _parents(path: str) -> Iterator[str]:
    while True:
        yield path
        above = os.path.dirname(path)
        if above == path:
            return
        path = above


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself, or through a folder that may not be entered
        return False


def _is_utf8(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


def _open_error(error: OSError, entry: "os.DirEntry[str]") -> str:
    if isinstance(error, FileNotFoundError) and entry.is_symlink():
        return "a link to nothing"
    return f"it cannot be opened: {error.strerror}"


def _special_kind(mode: int) -> str:
    kinds = {stat.S_IFIFO: "a named pipe", stat.S_IFSOCK: "a socket"}
    return kinds.get(stat.S_IFMT(mode), "a device")
