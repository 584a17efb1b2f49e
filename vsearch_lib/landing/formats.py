"""In which format a landed file of records or metadata is: by its name, and by its first bytes."""

import gzip
import io
import zlib
from dataclasses import dataclass
from typing import BinaryIO, Literal

import pyarrow as pa

from vsearch_lib.landing.listing import LandedFile

Layout = Literal["json lines", "csv", "parquet"]
Compression = Literal["gzip", "zstd"]

_COMPRESSED: dict[str, Compression] = {".gz": "gzip", ".gzip": "gzip", ".zst": "zstd", ".zstd": "zstd"}
_LAYOUTS: dict[str, Layout] = {
    **dict.fromkeys((".jsonl", ".ndjson", ".json"), "json lines"),
    ".csv": "csv",
    **dict.fromkeys((".parquet", ".pq"), "parquet"),
}
_MAGIC: dict[bytes, Compression] = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}
_PARQUET = b"PAR1"
# Formats of tables that are not read, by name or by content.
_OTHERS = (
    *(".tsv", ".tab", ".xlsx", ".xlsm", ".xlsb", ".xls", ".ods", ".avro", ".orc", ".arrow", ".feather", ".parq"),
    *(".yaml", ".yml", ".toml", ".xml", ".json5", ".sqlite", ".sqlite3"),
)
_COPIES = (".bak", ".old", ".orig", ".save", ".part", ".tmp", "._copying_")
_OTHER_PACKED = (".bz2", ".xz", ".zip", ".7z", ".lz4", ".snappy", ".br", ".deflate", ".tar")
_OTHER_MAGIC = {
    b"BZh": "bzip2",
    b"\xfd7zXZ": "xz",
    b"PK\x03\x04": "a ZIP archive or a workbook",
    b"Obj\x01": "Avro",
    b"ORC": "ORC",
    b"ARROW1": "Arrow",
    b"SQLite format 3": "SQLite",
}
# Names that Spark's own reader would decompress, or leave out.
_SPARK_UNPACKS = (*_COMPRESSED, *_OTHER_PACKED, ".bgz")
HEAD_BYTES = 4096
# What reading raises if a file is not what it should be.
UNREADABLE = (OSError, EOFError, ValueError, KeyError, OverflowError, zlib.error, pa.ArrowException)
_READ = "JSON lines, CSV and Parquet are read, plain or packed with gzip or zstd"


@dataclass(frozen=True)
class Format:
    """How records lie in a file."""

    layout: Layout
    compression: Compression | None


class NotReadable(Exception):
    """Raised when a file cannot be read as records; `reason` is a code of `landing.refusal.REASONS`."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def named_layout(name: str) -> Layout | None:
    """Return the layout that a file's name claims, None if it claims none that is read."""
    return _LAYOUTS.get(_suffix(_unpacked_name(name.lower())))


def holds_a_table(name: str) -> bool:
    """Whether a file's name claims a format of tables, read or not, packed or not, a copy or not."""
    name = name.lower()
    name = name.rstrip("~ ")
    while _suffix(name) in {*_COMPRESSED, *_OTHER_PACKED, *_COPIES}:
        name = name.removesuffix(_suffix(name))
    return _suffix(name) in {*_LAYOUTS, *_OTHERS}


def for_spark(file: LandedFile, head: bytes, checksums: set[str]) -> bool:
    """Whether Spark's own reader of text reads the file as JSON lines just as `rows_of` does, and faster.

    Args:
        head: the first bytes of the file.
        checksums: paths of such files. Spark compares a file with its own, which may be of an earlier file.
    """
    name = file.name.lower()
    plain = not name.startswith(("_", ".")) and not name.endswith(_SPARK_UNPACKS)
    claimed = named_layout(name) in ("json lines", None)
    checked = f"{file.folder}/.{file.name}.crc" in checksums
    return plain and claimed and not checked and head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{")


def recognise(name: str, file: BinaryIO) -> Format:
    """Return the format of the open `file`; its position is left at the start.

    Raises:
        NotReadable: the format is not one that is read, or the content is not what the name says.
        OSError: as reading raises it.
    """
    name = name.lower()
    head = file.read(HEAD_BYTES)
    file.seek(0)
    claimed = _COMPRESSED.get(_suffix(name))
    compression = next((kind for magic, kind in _MAGIC.items() if head.startswith(magic)), None)
    if not head and (claimed or named_layout(name) == "parquet"):
        raise NotReadable("empty_file", "0 bytes")
    if claimed and compression != claimed:
        raise NotReadable("broken_file", f"it is called {_suffix(name)} and is not {claimed}; write it again")
    if compression:
        with unpacked(file, compression) as inner:
            head = _head_of(inner)
        file.seek(0)
    for magic, other in _OTHER_MAGIC.items():
        if head.startswith(magic):
            raise NotReadable("unsupported_format", f"it is {other}; {_READ}")
    claims = named_layout(name)
    if (claims == "parquet") != head.startswith(_PARQUET) and (claims or compression):
        is_parquet = "it is Parquet, and its name" if head.startswith(_PARQUET) else "it is not Parquet, as its name"
        raise NotReadable("broken_file", f"{is_parquet} says otherwise; write it again, or rename it")
    if head.startswith(_PARQUET):
        if compression:
            raise NotReadable("unsupported_format", f"it is Parquet, packed once more; {_READ}")
        return Format("parquet", None)
    if claims:
        return Format(claims, compression)
    if _text(head).lstrip().startswith("{"):
        return Format("json lines", compression)
    raise NotReadable("unsupported_format", f"neither its name nor its content says how to read it; {_READ}")


def unpacked(file: BinaryIO, compression: Compression | None) -> BinaryIO:
    """Return `file` without its compression, as a stream; members that follow each other are one text."""
    if compression == "gzip":
        return io.BufferedReader(gzip.GzipFile(fileobj=file))
    if compression == "zstd":
        return io.BufferedReader(_Stream(pa.input_stream(_Borrowed(file), compression="zstd")))
    return file


def encoding_of(head: bytes) -> str:
    """Return the encoding of a text: what its byte-order mark says, else UTF-8."""
    return "utf-16" if head.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"


class _Borrowed(io.RawIOBase):
    """A file that Arrow reads from and does not close."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__()
        self._file = file

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        return self._file.read(size)


class _Stream(io.RawIOBase):
    """A stream of Arrow as Python's own readers take it."""

    def __init__(self, stream: pa.NativeFile) -> None:
        super().__init__()
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        block = self._stream.read(len(buffer))
        buffer[: len(block)] = block
        return len(block)


def _head_of(inner: BinaryIO) -> bytes:
    try:
        return inner.read(HEAD_BYTES)
    except UNREADABLE as error:
        raise NotReadable("broken_file", f"it cannot be unpacked: {error}; write it again") from None


def _text(head: bytes) -> str:
    return head.decode(encoding_of(head), "replace")


def _unpacked_name(name: str) -> str:
    suffix = _suffix(name)
    return name.removesuffix(suffix) if suffix in _COMPRESSED else name


def _suffix(name: str) -> str:
    _, dot, suffix = name.rpartition(".")
    return f".{suffix}" if dot else ""
