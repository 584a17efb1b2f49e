"""The format of a landed file of records or metadata, by its name and its first bytes."""

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
# Suffixes of table formats that are not read.
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
# Suffixes of files that Spark's own reader would decompress, or pass over.
_SPARK_UNPACKS = (*_COMPRESSED, *_OTHER_PACKED, ".bgz")
HEAD_BYTES = 4096
# What reading a broken file may raise.
UNREADABLE = (OSError, EOFError, ValueError, KeyError, OverflowError, zlib.error, pa.ArrowException)
_READ = "readable formats: Parquet, JSON lines and CSV, the last two also with gzip or zstd"


@dataclass(frozen=True)
class Format:
    """How records are stored in a file."""

    layout: Layout
    compression: Compression | None


class NotReadable(Exception):
    """Raised when a file cannot be read as records; `reason` is a code of `quarantine.reasons.REASONS`."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def named_layout(name: str) -> Layout | None:
    """Return the layout that a file's name claims, None if it claims no layout that we read."""
    return _LAYOUTS.get(_suffix(_unpacked_name(name.lower())))


def holds_a_table(name: str) -> bool:
    """Whether a file's name claims a table format, even one that is not read, is compressed, or is a backup copy."""
    name = name.lower()
    name = name.rstrip("~ ")
    while _suffix(name) in {*_COMPRESSED, *_OTHER_PACKED, *_COPIES}:
        name = name.removesuffix(_suffix(name))
    return _suffix(name) in {*_LAYOUTS, *_OTHERS}


def for_spark(file: LandedFile, head: bytes, checksums: set[str]) -> bool:
    """Whether Spark's own text reader gives the same JSON lines as `rows_of`, and faster.

    Args:
        head: the first bytes of the file.
        checksums: paths of checksum files. Spark would check a file against its checksum, which may be outdated.
    """
    name = file.name.lower()
    read_as_is = not name.startswith(("_", ".")) and not name.endswith(_SPARK_UNPACKS)
    may_be_lines = named_layout(name) in ("json lines", None)
    has_checksum = f"{file.folder}/.{file.name}.crc" in checksums
    is_object = head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{")
    return read_as_is and may_be_lines and not has_checksum and is_object


def recognise(name: str, file: BinaryIO) -> Format:
    """Return the format of the open `file`, and leave its position at the start.

    Raises:
        NotReadable: the format is not supported, or the content does not match the name.
        OSError: the file cannot be read.
    """
    name = name.lower()
    head = file.read(HEAD_BYTES)
    file.seek(0)
    claimed = _COMPRESSED.get(_suffix(name))
    compression = next((kind for magic, kind in _MAGIC.items() if head.startswith(magic)), None)
    if not head and (claimed or named_layout(name) == "parquet"):
        raise NotReadable("empty_file", "0 bytes")
    if claimed and compression != claimed:
        raise NotReadable("broken_file", f"its suffix is {_suffix(name)}, but it is not {claimed}; write it again")
    if compression:
        with unpacked(file, compression) as inner:
            head = _head_of(inner)
        file.seek(0)
    for magic, other in _OTHER_MAGIC.items():
        if head.startswith(magic):
            raise NotReadable("unsupported_format", f"it is {other}; {_READ}")
    claims = named_layout(name)
    if (claims == "parquet") != head.startswith(_PARQUET) and (claims or compression):
        problem = "it is Parquet, but not" if head.startswith(_PARQUET) else "it is not Parquet, but is"
        raise NotReadable("broken_file", f"{problem} by its name; write it again, or rename it")
    if head.startswith(_PARQUET):
        if compression:
            raise NotReadable("unsupported_format", f"it is a compressed Parquet file; {_READ}")
        return Format("parquet", None)
    if claims:
        return Format(claims, compression)
    if _text(head).lstrip().startswith("{"):
        return Format("json lines", compression)
    raise NotReadable("unsupported_format", f"neither its name nor its content shows its format; {_READ}")


def unpacked(file: BinaryIO, compression: Compression | None) -> BinaryIO:
    """Return the decompressed `file` as a stream; several gzip members give one text."""
    if compression == "gzip":
        return io.BufferedReader(gzip.GzipFile(fileobj=file))
    if compression == "zstd":
        return io.BufferedReader(_Stream(pa.input_stream(_Borrowed(file), compression="zstd")))
    return file


def encoding_of(head: bytes) -> str:
    """Return the encoding of a text: that of its byte-order mark, else UTF-8."""
    return "utf-16" if head.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"


class _Borrowed(io.RawIOBase):
    """A file that Arrow reads but does not close."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__()
        self._file = file

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        return self._file.read(size)


class _Stream(io.RawIOBase):
    """A stream of Arrow for Python's own readers."""

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
