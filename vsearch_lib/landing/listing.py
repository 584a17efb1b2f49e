"""Everything that lies in a landing folder: files, what cannot be read, and clutter, without opening a file."""

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
    """A file, and the day it landed on: that of its partition, else the day it was last modified, UTC.

    `path` is a local path, or the address of an object with the scheme of the listed folder.
    """

    path: str
    bytes: int
    modified_ms: int
    landed_on: date

    @property
    def folder(self) -> str:
        """The folder it lies in."""
        return self.path.rpartition("/")[0]

    @property
    def name(self) -> str:
        """Its name in that folder."""
        return self.path.rpartition("/")[2]


class RefusedFile(NamedTuple):
    """A file or folder that is refused as a whole, with a code of `landing.refusal.REASONS`."""

    path: str
    reason: str
    message: str


@dataclass(frozen=True)
class Listing:
    """What lies at some places, files in the order of their names: each thing is in `files`, `refused` or passed over.

    Attributes:
        places: the folder `uri`, or those of the days that were asked for.
        folders: that could be listed.
        missing: places that were asked for and are not there.
        checksums: of Hadoop's, `.<name>.crc` beside a file.
        passed_over_inside: clutter and links in folders, or with names, that never are clutter.
    """

    uri: str
    places: list[str] = field(default_factory=list)
    files: list[LandedFile] = field(default_factory=list)
    refused: list[RefusedFile] = field(default_factory=list)
    passed_over: Counter[str] = field(default_factory=Counter)
    folders: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    checksums: set[str] = field(default_factory=set)
    passed_over_inside: list[str] = field(default_factory=list)


Keep = Callable[[str], bool]


def list_landed(uri: str, dates: Sequence[date] | None = None, *, never_clutter: Keep = lambda _: False) -> Listing:
    """List what lies below the folder `uri`.

    Args:
        dates: keeps the partitions `date=YYYY-MM-DD` that it names, and beside them what never is clutter: it may speak
            of what lies there.
        never_clutter: says of the name of a file or folder that it counts, however much it looks like clutter.
    """
    folder = local_path(uri)
    found = Listing(uri.rstrip("/") if folder is None else str(folder))
    found.places.extend([found.uri] if dates is None else [f"{found.uri}/date={day}" for day in dates])
    list_place = _list_bucket if folder is None else _list_folder
    for place in found.places:
        list_place(place, found, never_clutter)
    if dates is not None:
        for place in _never_clutter_in(found, never_clutter, is_local=folder is not None):
            list_place(place, found, never_clutter)
    found.files.sort()
    return found


def _never_clutter_in(found: Listing, never_clutter: Keep, *, is_local: bool) -> list[str]:
    """Return the folders beside the partitions that count; files there are added to `found`."""
    try:
        if is_local:
            with os.scandir(found.uri) as listed:
                entries = [entry for entry in listed if never_clutter(entry.name)]
            folders = [entry.path for entry in entries if _is_folder(entry)]
            for entry in entries:
                if entry.path not in folders:
                    _add(entry, found.uri, found, never_clutter)
            return folders
        objects, names = objects_in(found.uri)
        for item in objects:
            if never_clutter(item.key):
                _add_object(item, found.uri, found)
        return [f"{found.uri}/{name}" for name in names if never_clutter(name)]
    except FileNotFoundError:
        return []
    except OSError as error:
        found.refused.append(RefusedFile(found.uri, "unreadable", f"the folder cannot be listed: {error.strerror}"))
        return []


def named_day(path: str) -> date | None:
    """Return the day of the partition that a path lies in, None if it lies in none; date=2026-13-99 is none."""
    named = _DAY.search(path)
    try:
        return date.fromisoformat(named[1]) if named else None
    except ValueError:
        return None


def _landed_on(path: str, modified_ms: int) -> date:
    return named_day(path) or (_EPOCH + timedelta(milliseconds=modified_ms)).date()


def _list_bucket(place: str, found: Listing, never_clutter: Keep) -> None:
    try:
        objects, unreadable = objects_below(place)
    except OSError as error:
        found.refused.append(RefusedFile(place, "unreadable", f"the folder cannot be listed: {error.strerror}"))
        return
    if not objects and not unreadable:
        found.missing.append(place)
    for item in objects:
        kind = _clutter(item.key, never_clutter)
        if kind:
            _pass_over(kind, f"{place}/{item.key}", place, found, never_clutter)
        else:
            _add_object(item, place, found)
    for folder, message in unreadable:
        found.refused.append(RefusedFile(folder, "unreadable", message))


def _add_object(item: Stored, place: str, found: Listing) -> None:
    path, modified_ms = f"{place}/{item.key}", int((item.modified_at - _EPOCH) / timedelta(milliseconds=1))
    found.files.append(LandedFile(path, item.bytes, modified_ms, _landed_on(path, modified_ms)))


def _list_folder(place: str, found: Listing, never_clutter: Keep) -> None:
    if not os.path.lexists(place):
        found.missing.append(place)
        return
    # A link leads here again, or to a folder above: everything below would be listed once more.
    visited = {_identity(str(parent)) for parent in _parents(os.path.realpath(place))}
    waiting, links = [place], list[str]()
    while waiting:
        for folder in waiting:
            links += _list_tree(folder, place, found, visited, never_clutter)
        # Folders keep their own names: links are followed only to what no real folder holds.
        waiting = []
        for link in links:
            identity = _identity(link)
            if identity is None or identity in visited:
                _pass_over("link to a listed folder", link, place, found, never_clutter)
            else:
                visited.add(identity)
                waiting.append(link)
        links = []


def _list_tree(
    top: str, place: str, found: Listing, visited: set[tuple[int, int] | None], never_clutter: Keep
) -> list[str]:
    """List what lies below `top`, and return the links to folders there."""
    links: list[str] = []
    for entry in _entries(top, found, visited):
        if entry.is_symlink() and _is_utf8(entry.path) and _is_folder(entry):
            links.append(entry.path)
        else:
            _add(entry, place, found, never_clutter)
    return links


def _add(entry: "os.DirEntry[str]", place: str, found: Listing, never_clutter: Keep) -> None:
    """Add what is no folder to `found`: as a file, refused, or as clutter."""
    path = entry.path
    if not _is_utf8(path):
        spelled = os.fsencode(path).decode("utf-8", "backslashreplace")
        found.refused.append(RefusedFile(spelled, "bad_name", "its name is not UTF-8: rename it"))
        return
    kind = _clutter(os.path.relpath(path, place), never_clutter)
    if kind:
        _pass_over(kind, path, place, found, never_clutter)
        return
    try:
        facts = entry.stat()
    except OSError as error:
        found.refused.append(RefusedFile(path, "unreadable", _why(error, entry)))
        return
    if not stat.S_ISREG(facts.st_mode):
        found.refused.append(RefusedFile(path, "unreadable", f"{_special(facts.st_mode)}, not a file"))
        return
    modified_ms = max(_FIRST_MILLISECOND, min(facts.st_mtime_ns // 1_000_000, _LAST_MILLISECOND))
    found.files.append(LandedFile(path, facts.st_size, modified_ms, _landed_on(path, modified_ms)))


def _entries(top: str, found: Listing, visited: set[tuple[int, int] | None]) -> Iterator["os.DirEntry[str]"]:
    """Yield all that is no folder below `top`; links are not followed."""
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
            found.refused.append(RefusedFile(folder, "unreadable", message))
            continue
        found.folders.append(folder)
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                folders.append(entry.path)
            else:
                yield entry


def _pass_over(kind: str, path: str, place: str, found: Listing, never_clutter: Keep) -> None:
    found.passed_over[kind] += 1
    if path.endswith(".crc"):
        found.checksums.add(path)
    # The place itself may be such a folder.
    if any(never_clutter(name) for name in (place.rpartition("/")[2], *path.removeprefix(f"{place}/").split("/"))):
        found.passed_over_inside.append(path)


def _clutter(below: str, never_clutter: Keep) -> str | None:
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


def _why(error: OSError, entry: "os.DirEntry[str]") -> str:
    if isinstance(error, FileNotFoundError) and entry.is_symlink():
        return "a link to nothing"
    return f"it cannot be opened: {error.strerror}"


def _special(mode: int) -> str:
    kinds = {stat.S_IFIFO: "a named pipe", stat.S_IFSOCK: "a socket"}
    return kinds.get(stat.S_IFMT(mode), "a device")
