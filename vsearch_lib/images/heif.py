"""HEIC and AVIF, the formats of phones: their decoders, and the colours that an AVIF states as numbers."""

import struct

import pillow_heif
from PIL import AvifImagePlugin

# AVIF before HEIF, for files whose only brand is "mif1": Pillow's AVIF decoder rejects those that are not AVIF, but
# pillow-heif, which has no decoder of AV1, would accept them all.
FORMATS = ("AVIF", "HEIF")

_BOXES_THAT_MATTER = (b"meta", b"moov", b"mdat")

# Spark runs one task per core. Thumbnails are not read, so that a thumbnail is never used as the picture.
AvifImagePlugin.DEFAULT_MAX_THREADS = 1
pillow_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False, decode_threads=1)


def named_colours(content: bytes) -> dict[str, int]:
    """Return the colours that an AVIF states as numbers (nclx), in the form that pillow-heif uses for a HEIC.

    Pillow does not return them. The numbers of the picture come first in a file, before those of a gain map.
    """
    start = content.find(b"colrnclx")
    if start < 0 or len(content) < start + 12:
        return {}
    primaries, transfer = struct.unpack_from(">HH", content, start + 8)
    return {"color_primaries": primaries, "transfer_characteristics": transfer}


def cut_box(content: bytes) -> str | None:
    """Return the name of the box inside which a file ends, None if the file is whole.

    Phones make their pictures of tiles, and libheif leaves missing tiles empty without an error.
    """
    start = 0
    while start + 8 <= len(content):
        size, name = int.from_bytes(content[start : start + 4], "big"), content[start + 4 : start + 8]
        if size == 1:
            size = int.from_bytes(content[start + 8 : start + 16], "big")
        if size < 8:
            return None  # a box of size 0 extends to the end of the file; other sizes below 8 are invalid
        start += size
        if start > len(content) and name in _BOXES_THAT_MATTER:
            return name.decode()
    return None
