"""Which files of a landing folder are pictures, which is metadata of them, and what only looks like metadata.

Nothing becomes public by a default where a file that is not read might say otherwise: what looks like metadata is read,
or it is refused, and then the pictures in its folder and below wait for it.
"""

import re
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from vsearch_lib.images.speaking import LOOKED_AT_BYTES, speaks_of_pictures, workbook_speaks_of_pictures
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
    """Whether a file's or folder's name says that it is metadata: then it is never clutter."""
    name = name.lower()
    return (
        "metadata" in name
        and not _PICTURE.fullmatch(name)
        and not name.startswith(("._", "_"))
        and not name.endswith(".crc")
    )


def sort_out(listing: Listing) -> SortedOut:
    """Sort the files of `listing`; of these only tables that are not called metadata are looked into."""
    found = SortedOut()
    unclear: list[LandedFile] = []
    for file in listing.files:
        name = file.name.lower()
        if _PICTURE.fullmatch(name):
            found.pictures.append(file)
        elif folder := _described_by(file, listing.uri):
            if _is_read(file):
                found.metadata.append(Metadata(file, folder))
            else:
                found.unread.append(RefusedFile(file.path, "unread_metadata", UNREAD))
            found.described.add(folder)
        elif holds_a_table(name):
            unclear.append(file)
        else:
            found.pictures.append(file)
    # A folder or file that cannot be looked at may be metadata, and so may one whose name cannot be read.
    for refused in listing.refused:
        if looks_like_metadata(refused.path.rpartition("/")[2]):
            found.described.add(refused.path.rpartition("/")[0])
    _look_into(unclear, found)
    return found


def _described_by(file: LandedFile, uri: str) -> str | None:
    """Return the folder whose files a file of metadata names, None if the file is none.

    Spark writes a table as a folder of files: one that is called as metadata is lies beside the pictures.
    """
    above, *below = f"{file.folder}/".removeprefix(f"{uri}/").split("/")
    folder = uri
    for name in (above, *below):
        if looks_like_metadata(name):
            return folder
        folder = f"{folder}/{name}" if name else folder
    return file.folder if looks_like_metadata(file.name) else None


def _is_read(file: LandedFile) -> bool:
    name = file.name.lower()
    if name.startswith("."):
        return False
    return named_layout(name) is not None or (not holds_a_table(name) and "." not in name)


def _look_into(files: list[LandedFile], found: SortedOut) -> None:
    """Tell tables that may be about pictures from those that are not, by the words in them."""
    if not files:
        return
    stems = {stem for picture in found.pictures for stem in _stems(picture.path)}
    with ThreadPoolExecutor(_FILES_AT_ONCE) as pool:
        for file, speaks in zip(files, pool.map(_speaks, files), strict=True):
            if speaks:
                found.unread.append(RefusedFile(file.path, "unread_metadata", UNREAD))
                found.described.add(file.folder)
            elif any(stem in stems for stem in _stems(file.path)):
                found.sidecars["sidecar"] += 1
            else:
                found.pictures.append(file)  # refused as none, by its content


def _stems(path: str) -> Iterable[str]:
    """Yield a path with fewer and fewer suffixes: a.jpg.json lies beside a.jpg or a."""
    folder, slash, name = path.rpartition("/")
    yield path
    while "." in name[1:]:
        name = name.rpartition(".")[0]
        yield f"{folder}{slash}{name}"


def _speaks(file: LandedFile) -> bool:
    try:
        with open_file(file.path) as content:
            head = content.read(LOOKED_AT_BYTES)
            if head.startswith(b"PK\x03\x04"):
                return file.bytes > _WORKBOOK_BYTES or workbook_speaks_of_pictures(head + content.read())
            content.seek(max(file.bytes - LOOKED_AT_BYTES, 0))
            return speaks_of_pictures(head, content.read(LOOKED_AT_BYTES))
    except OSError:
        return True
