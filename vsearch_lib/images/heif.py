"""HEIC and AVIF, the pictures that phones make: their decoders, and the colours that an AVIF names by numbers."""

import struct

import pillow_heif
from PIL import AvifImagePlugin

# AVIF before HEIF: of files that only say "mif1" Pillow's decoder leaves to the other what is not its own, and
# pillow-heif, which has no decoder of AV1, would take them all.
FORMATS = ("AVIF", "HEIF")

_BOXES_THAT_MATTER = (b"meta", b"moov", b"mdat")

# Spark runs a task a core. Thumbnails are left out so that one picture is not made of another, smaller one.
AvifImagePlugin.DEFAULT_MAX_THREADS = 1
pillow_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False, decode_threads=1)


def named_colours(content: bytes) -> dict[str, int]:
    """Return the colours that an AVIF names by numbers (nclx), as pillow-heif gives those of a HEIC.

    Pillow does not hand them on. The picture's own come first in a file, before those of a gain map.
    """
    at = content.find(b"colrnclx")
    if at < 0 or len(content) < at + 12:
        return {}
    primaries, transfer = struct.unpack_from(">HH", content, at + 8)
    return {"color_primaries": primaries, "transfer_characteristics": transfer}


def cut_box(content: bytes) -> str | None:
    """Return the name of the box inside of which a file ends, if it does.

    libheif leaves the tiles that are missing empty, says nothing, and phones make their pictures of tiles.
    """
    at = 0
    while at + 8 <= len(content):
        size, name = int.from_bytes(content[at : at + 4], "big"), content[at + 4 : at + 8]
        if size == 1:
            size = int.from_bytes(content[at + 8 : at + 16], "big")
        if size < 8:
            return None  # 0 is a box that goes on to the end, the rest no box
        at += size
        if at > len(content) and name in _BOXES_THAT_MATTER:
            return name.decode()
    return None
