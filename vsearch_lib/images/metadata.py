"""Which files of a landing folder are pictures, which is metadata of them, and what only looks like metadata.

Nothing becomes public by a default where a file that is not read might say otherwise: what looks like metadata is read,
or it is refused, and then the pictures in its folder and below wait for it.
"""

import re
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import NamedTuple

from vsearch_lib.images.mentions import LOOKED_AT_BYTES, mentions_pictures, workbook_mentions_pictures
from vsearch_lib.landing.formats import holds_a_table, named_layout
from vsearch_lib.landing.listing import LandedFile, Listing, RefusedFile
from vsearch_lib.storage import open_file

_PICTURE = re.compile(
    r".*\.(jpe?g|jpe|jfif|pjpeg|mpo|png|apng|webp|gif|tiff?|bmp|dib|heic|heif|hif|avif|jp2|jxl|svg|psd|ico|"
    r"cr2|cr3|nef|arw|dng|raf|orf|rw2)",
    re.DOTALL,
)
_WORKBOOK_BYTES = 50_000_000  # a larger one is not looked into
_FILES_AT_ONCE = 16
UNREAD = "it looks like metadata and is not read: call it metadata.jsonl, .csv or .parquet, or move it away"


@dataclass(frozen=True)
class Metadata:
    """A file of metadata, and the folder that its rows name files of."""

    file: LandedFile
    folder: str


@dataclass(frozen=True)
class SortedOut:
    """The files of a listing by what they are; `unread` are refused, and `described` are folders of metadata."""

    pictures: list[LandedFile] = field(default_factory=list)
    metadata: list[Metadata] = field(default_factory=list)
    unread: list[RefusedFile] = field(default_factory=list)
    described: set[str] = field(default_factory=set)
    sidecars: Counter[str] = field(default_factory=Counter)


def looks_like_metadata(name: str) -> bool:
    """Whether a file's or folder's name says that it is metadata."""
    name = name.lower()
    return "metadata" in name and name != "_spark_metadata" and not _belongs_to_another(name)


def may_be_metadata(name: str) -> bool:
    """Whether a file or folder of that name may be about pictures: then it is never clutter."""
    name = name.lower()
    return looks_like_metadata(name) or (holds_a_table(name) and not _belongs_to_another(name))


def sort_out(listing: Listing) -> SortedOut:
    """Sort the files of `listing`; of these only tables that are not called metadata are looked into."""
    found = SortedOut()
    unclear: list[Metadata] = []
    for file in listing.files:
        spoken_of = None if _PICTURE.fullmatch(file.name.lower()) else _described_folder(file.path, listing.uri)
        if spoken_of is None:
            found.pictures.append(file)
        elif not looks_like_metadata(spoken_of.by):
            unclear.append(Metadata(file, spoken_of.folder))
        else:
            found.described.add(spoken_of.folder)
            if _is_read(file):
                found.metadata.append(Metadata(file, spoken_of.folder))
            else:
                found.unread.append(RefusedFile(file.path, "unread_metadata", UNREAD))
    # What cannot be opened, and what was passed over in a folder of metadata, may be metadata.
    for path in (*(refused.path for refused in listing.refused), *listing.passed_over_inside):
        if path == listing.uri:
            found.described.add(path)
        elif spoken_of := _described_folder(path, listing.uri):
            found.described.add(spoken_of.folder)
    _look_into(unclear, found)
    return found


class _Described(NamedTuple):
    folder: str
    by: str  # the name of the file or folder that may be metadata


def _described_folder(path: str, uri: str) -> _Described | None:
    """Return the folder whose files a file may speak of, None if it speaks of none.

    Spark writes a table as a folder of files: one that is called as metadata is lies beside the pictures.
    """
    folder = uri
    for name in path.removeprefix(f"{uri}/").split("/"):
        if may_be_metadata(name):
            return _Described(folder, name)
        folder = f"{folder}/{name}"
    return None


def _belongs_to_another(name: str) -> bool:
    return bool(_PICTURE.fullmatch(name)) or name.startswith("._") or name.endswith(".crc")


def _is_read(file: LandedFile) -> bool:
    name = file.name.lower()
    if name.startswith(".") or "/_temporary/" in file.path:
        return False
    return named_layout(name) is not None or (not holds_a_table(name) and "." not in name)


def _look_into(tables: list[Metadata], found: SortedOut) -> None:
    """Tell tables that may be about pictures from those that are not, by the words in them."""
    if not tables:
        return
    stems = {stem for picture in found.pictures for stem in _stems(picture.path)}
    with ThreadPoolExecutor(_FILES_AT_ONCE) as pool:
        for table, speaks in zip(tables, pool.map(_mentions_pictures, tables), strict=True):
            if speaks:
                found.unread.append(RefusedFile(table.file.path, "unread_metadata", UNREAD))
                found.described.add(table.folder)
            elif any(stem in stems for stem in _stems(table.file.path)):
                found.sidecars["sidecar"] += 1
            else:
                found.pictures.append(table.file)  # refused as none, by its content


def _stems(path: str) -> Iterable[str]:
    """Yield a path with fewer and fewer suffixes: a.jpg.json lies beside a.jpg or a."""
    folder, slash, name = path.rpartition("/")
    yield path
    while "." in name[1:]:
        name = name.rpartition(".")[0]
        yield f"{folder}{slash}{name}"


def _mentions_pictures(table: Metadata) -> bool:
    file = table.file
    try:
        with open_file(file.path) as content:
            head = content.read(LOOKED_AT_BYTES)
            if head.startswith(b"PK\x03\x04"):
                return file.bytes > _WORKBOOK_BYTES or workbook_mentions_pictures(head + content.read())
            content.seek(max(file.bytes - LOOKED_AT_BYTES, 0))
            return mentions_pictures(head, content.read(LOOKED_AT_BYTES))
    except OSError:
        return True
