"""Which files of a landing folder are pictures, which are their metadata, and which only look like metadata.

No picture becomes public by default if an unread file may state otherwise: a file that looks like metadata is read, or
it is refused, and then the pictures in its folder and below are refused too until it is readable or gone.
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
_WORKBOOK_BYTES = 50_000_000  # a larger workbook is not opened, and counts as one that mentions pictures
_FILES_AT_ONCE = 16
UNREAD = "it looks like metadata and is not read: rename it to metadata.jsonl, .csv or .parquet, or move it away"


@dataclass(frozen=True)
class Metadata:
    """A file of metadata, and the folder whose files its rows name."""

    file: LandedFile
    folder: str


@dataclass(frozen=True)
class SortedFiles:
    """The files of a listing by kind; `unread` are refused, and `described` are the folders that have metadata."""

    pictures: list[LandedFile] = field(default_factory=list)
    metadata: list[Metadata] = field(default_factory=list)
    unread: list[RefusedFile] = field(default_factory=list)
    described: set[str] = field(default_factory=set)
    sidecars: Counter[str] = field(default_factory=Counter)


def looks_like_metadata(name: str) -> bool:
    """Whether the name of a file or folder says that it is metadata."""
    name = name.lower()
    return "metadata" in name and name != "_spark_metadata" and not _is_picture_or_companion(name)


def may_be_metadata(name: str) -> bool:
    """Whether a file or folder of this name may be about pictures: then it is never clutter."""
    name = name.lower()
    return looks_like_metadata(name) or (holds_a_table(name) and not _is_picture_or_companion(name))


def sort_files(listing: Listing) -> SortedFiles:
    """Sort the files of `listing`; it opens only tables that are not called metadata."""
    result = SortedFiles()
    unclear: list[Metadata] = []
    for file in listing.files:
        subject = None if _PICTURE.fullmatch(file.name.lower()) else _described_folder(file.path, listing.uri)
        if subject is None:
            result.pictures.append(file)
        elif not looks_like_metadata(subject.described_by):
            unclear.append(Metadata(file, subject.folder))
        else:
            result.described.add(subject.folder)
            if _is_read(file):
                result.metadata.append(Metadata(file, subject.folder))
            else:
                result.unread.append(RefusedFile(file.path, "unread_metadata", UNREAD))
    # A file that cannot be opened, or that was passed over in a metadata folder, may be metadata.
    for path in (*(refused.path for refused in listing.refused), *listing.passed_over_inside):
        if path == listing.uri:
            result.described.add(path)
        elif subject := _described_folder(path, listing.uri):
            result.described.add(subject.folder)
    _sort_by_content(unclear, result)
    return result


class _Subject(NamedTuple):
    folder: str
    described_by: str  # the name of the file or folder that may be metadata


def _described_folder(path: str, uri: str) -> _Subject | None:
    """Return the folder whose files a file may describe, None if its name does not look like a table or metadata.

    Spark writes a table as a folder of files: a folder that is called metadata describes the pictures beside it.
    """
    folder = uri
    for name in path.removeprefix(f"{uri}/").split("/"):
        if may_be_metadata(name):
            return _Subject(folder, name)
        folder = f"{folder}/{name}"
    return None


def _is_picture_or_companion(name: str) -> bool:
    return bool(_PICTURE.fullmatch(name)) or name.startswith("._") or name.endswith(".crc")


def _is_read(file: LandedFile) -> bool:
    name = file.name.lower()
    if name.startswith(".") or "/_temporary/" in file.path:
        return False
    return named_layout(name) is not None or (not holds_a_table(name) and "." not in name)


def _sort_by_content(tables: list[Metadata], result: SortedFiles) -> None:
    """Add tables to `result`; the words in a table decide whether it may be about pictures."""
    if not tables:
        return
    stems = {stem for picture in result.pictures for stem in _stems(picture.path)}
    with ThreadPoolExecutor(_FILES_AT_ONCE) as pool:
        for table, mentions in zip(tables, pool.map(_mentions_pictures, tables), strict=True):
            if mentions:
                result.unread.append(RefusedFile(table.file.path, "unread_metadata", UNREAD))
                result.described.add(table.folder)
            elif any(stem in stems for stem in _stems(table.file.path)):
                result.sidecars["sidecar"] += 1
            else:
                result.pictures.append(table.file)  # it is no picture: it is refused when it is decoded


def _stems(path: str) -> Iterable[str]:
    """Yield the path, then the path without its last suffix, and so on: a.jpg.json lies beside a.jpg or a."""
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
