"""Whether a file that is no picture and is not read as metadata may say who sees the pictures beside it."""

import bz2
import io
import lzma
import re
import zipfile
import zlib

import pyarrow as pa

# Words of a table that says so. Zero bytes are left out: those of UTF-16.
_MENTIONS = re.compile(
    rb"visib|privat|privacy|moderat|image_?id|owner_?id|deleted|audience|is_?public|\"public\"", re.IGNORECASE
)
# The same in a file that may as well be prose: a name of ours between the marks of a table.
_LISTS = re.compile(
    rb"""["',;|\t]\s*(visibility|moderation|image_id|owner_id)\s*(["',;|\t:]|\r?$)|^(image_id|file)[,;\t]""",
    re.MULTILINE | re.IGNORECASE,
)
LOOKED_AT_BYTES = 65_536
_WORKBOOK_BYTES = 100_000_000  # unpacked; of a larger one it is not known


def mentions_pictures(head: bytes, tail: bytes = b"") -> bool:
    """Whether the first and last bytes of a file speak of who sees pictures; also if they cannot be unpacked.

    Formats of tables keep the names of columns as they are, at their start (Avro) or end (Parquet).
    """
    try:
        texts = [_unpacked(head), tail]
    except Exception:  # whatever is wrong with it: what cannot be looked into may speak
        return True
    return any(_MENTIONS.search(text.replace(b"\0", b"")) for text in texts)


def lists_pictures(head: bytes) -> bool:
    """Whether a file that no name calls a table begins as one of pictures."""
    return bool(_LISTS.search(head.replace(b"\0", b"")))


def workbook_mentions_pictures(content: bytes) -> bool:
    """Whether a workbook, a ZIP archive of XML, speaks of who sees pictures; also if it cannot be opened."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            left = _WORKBOOK_BYTES
            for member in archive.infolist():
                with archive.open(member) as text:
                    content = text.read(left)
                left -= len(content)
                if _MENTIONS.search(content) or left <= 0:
                    return True
    except Exception:  # whatever is wrong with it: what cannot be looked into may speak
        return True
    return False


def _unpacked(head: bytes) -> bytes:
    if head.startswith(b"\x1f\x8b"):
        return zlib.decompressobj(wbits=31).decompress(head, LOOKED_AT_BYTES)
    if head.startswith(b"BZh"):
        return bz2.BZ2Decompressor().decompress(head, LOOKED_AT_BYTES)
    if head.startswith(b"\xfd7zXZ"):
        return lzma.LZMADecompressor().decompress(head, LOOKED_AT_BYTES)
    if head.startswith(b"\x28\xb5\x2f\xfd"):
        with pa.input_stream(io.BytesIO(head), compression="zstd") as stream:
            return bytes(stream.read(LOOKED_AT_BYTES))
    return head
