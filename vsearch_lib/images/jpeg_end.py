"""A JPEG from which only the end marker is missing is a whole picture."""

import re

import simplejpeg

_END = b"\xff\xd9"
# A marker that ends the pixel data; a stuffed zero and a restart marker do not end it.
_MARKER = re.compile(rb"\xff+([^\x00\xd0-\xd7\xff])")
_START_OF_SCAN = 0xDA
# Baseline, extended and progressive, with Huffman codes: a decoder cannot detect that arithmetic codes were cut.
_START_OF_FRAME = (0xC0, 0xC1, 0xC2)
_COEFFICIENTS = 64


def with_end_marker(content: bytes) -> bytes | None:
    """Return a JPEG with its missing end marker; None if anything else is missing too."""
    if not _has_every_scan(content):
        return None
    whole = content + _END
    try:
        colours = simplejpeg.decode_jpeg_header(whole)[2]
        space = {"Gray": "GRAY", "CMYK": "CMYK", "YCCK": "CMYK"}.get(colours, "RGB")
        # All data is read, but few pixels are computed: it is enough that libjpeg raises no warning.
        simplejpeg.decode_jpeg(whole, colorspace=space, min_height=1, min_width=1, strict=True)
    except Exception:
        return None  # broken headers raise not only ValueError
    return whole


def _has_every_scan(content: bytes) -> bool:
    """Whether the scans contain every coefficient of every component to its last bit.

    A progressive file that was cut between two scans is decoded without a warning, to a coarser picture.
    """
    missing_bits: dict[int, list[int | None]] = {}
    position = 2
    while (marker := _MARKER.search(content, position)) is not None:
        start = marker.end()
        length = int.from_bytes(content[start : start + 2], "big")
        body = content[start + 2 : start + length]
        position = start + length
        if len(body) < max(1, length - 2):
            break
        if marker[1][0] in _START_OF_FRAME:
            missing_bits = {component: [None] * _COEFFICIENTS for component in body[6::3]}
        elif marker[1][0] == _START_OF_SCAN:
            count = body[0]
            first, last, precision = body[1 + 2 * count :][:3].ljust(3, b"\xff")
            for component in body[1 : 1 + 2 * count : 2]:
                if component in missing_bits and first <= last < _COEFFICIENTS:
                    missing_bits[component][first : last + 1] = [precision & 15] * (last + 1 - first)
    return bool(missing_bits) and all(bits == [0] * _COEFFICIENTS for bits in missing_bits.values())
