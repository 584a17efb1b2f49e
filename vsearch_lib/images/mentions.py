"""Whether a file that is neither a picture nor read as metadata may state who may see the pictures beside it."""

import bz2
import io
import lzma
import re
import zipfile
import zlib

import pyarrow as pa

# Words of such a table. They are searched in the file without its zero bytes, so that UTF-16 matches too.
_MENTIONS = re.compile(
    rb"visib|privat|privacy|moderat|image_?id|owner_?id|deleted|audience|is_?public|\"public\"", re.IGNORECASE
)
# The same for a file that may be prose: the name of one of our fields between delimiters of a table.
_LISTS = re.compile(
    rb"""["',;|\t]\s*(visibility|moderation|image_id|owner_id)\s*(["',;|\t:]|\r?$)|^(image_id|file)[,;\t]""",
    re.MULTILINE | re.IGNORECASE,
)
LOOKED_AT_BYTES = 65_536
_WORKBOOK_BYTES = 100_000_000  # when unpacked; a larger workbook counts as one that mentions pictures


def mentions_pictures(head: bytes, tail: bytes = b"") -> bool:
    """Whether the head or tail of a file has words about who may see pictures; also if it cannot be unpacked.

    Table formats store column names as plain text at their start (Avro) or end (Parquet).
    """
    try:
        texts = [_unpacked(head), tail]
    except Exception:  # whatever the error: a file that cannot be examined may mention pictures
        return True
    return any(_MENTIONS.search(text.replace(b"\0", b"")) for text in texts)


def lists_pictures(head: bytes) -> bool:
    """Whether a file that is not a table by its name begins like a table of pictures."""
    return bool(_LISTS.search(head.replace(b"\0", b"")))


def workbook_mentions_pictures(content: bytes) -> bool:
    """Whether a workbook (a ZIP archive of XML) has words about who may see pictures; also if it cannot be opened."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            remaining_bytes = _WORKBOOK_BYTES
            for member in archive.infolist():
                with archive.open(member) as text:
                    content = text.read(remaining_bytes)
                remaining_bytes -= len(content)
                if _MENTIONS.search(content) or remaining_bytes <= 0:
                    return True
    except Exception:  # whatever the error: a file that cannot be examined may mention pictures
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
