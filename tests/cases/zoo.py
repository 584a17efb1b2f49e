"""Case 10: files as the web delivers them: odd but valid pictures, broken ones, and files that are not pictures."""

import struct
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from tests.cases.case import Case, Outcome, Part
from tests.cases.writing import drawn, encoded, put

SUBJECT = drawn(400, 300, 200)
_FRAMES = [drawn(seed, 120, 100) for seed in (401, 402, 403)]
_ANIMATED = {"save_all": True, "append_images": _FRAMES[1:]}
_ORIENTATION, _DESCRIPTION = 0x0112, 0x010E
_BY_ORIENTATION = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    5: Image.Transpose.TRANSPOSE,
    7: Image.Transpose.TRANSVERSE,
}


def _with_exif(tag: int, value: object) -> bytes:
    exif = Image.Exif()
    exif[tag] = value
    return encoded(SUBJECT, "JPEG", exif=exif)


def _bomb() -> bytes:
    """Return a PNG of a few hundred bytes whose header says 50,000 × 50,000 pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(100_000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def _whole() -> Mapping[str, bytes]:
    grey = SUBJECT.convert("L")
    return {
        "ok-progressive.jpg": encoded(SUBJECT, "JPEG", progressive=True),
        "ok-grey.jpg": encoded(grey, "JPEG"),
        "ok-1bit.png": encoded(SUBJECT.convert("1"), "PNG"),
        "ok-16bit.png": encoded(Image.fromarray(np.asarray(grey).astype(np.uint16) * 257), "PNG"),
        "ok-palette-transparent.png": encoded(SUBJECT.convert("P"), "PNG", transparency=3),
        "ok-animated.gif": encoded(_FRAMES[0], "GIF", **_ANIMATED),
        "ok-animated.webp": encoded(_FRAMES[0], "WEBP", **_ANIMATED),
        "ok-animated.png": encoded(_FRAMES[0], "PNG", **_ANIMATED),
        "ok-pages.tif": encoded(_FRAMES[0], "TIFF", **_ANIMATED),
        "ok-png-called.jpg": encoded(SUBJECT, "PNG"),
        **{f"ok-orientation{turn}.jpg": _with_exif(_ORIENTATION, turn) for turn in _BY_ORIENTATION},
        "ok-big-exif.jpg": _with_exif(_DESCRIPTION, "x" * 60_000),
        "ok-mpo.jpg": encoded(SUBJECT, "MPO", save_all=True, append_images=[drawn(404, 300, 200)]),
        "ok-all-transparent.png": encoded(Image.new("RGBA", (64, 64), (9, 9, 9, 0)), "PNG"),
        "ok-white.png": encoded(Image.new("RGB", (64, 64), "white"), "PNG"),
        "ok-black.jpg": encoded(Image.new("RGB", (64, 64)), "JPEG"),
        "ok-more-behind.jpg": encoded(SUBJECT, "JPEG") + bytes(5_000) + b"</html>",
        "ok-comment.jpg": encoded(SUBJECT, "JPEG", comment=b"c" * 5_000),
        "ok-cmyk.jpg": encoded(SUBJECT.convert("CMYK"), "JPEG"),
        "ok-avif-called.jpg": encoded(SUBJECT, "AVIF"),
        "ok-no-end-marker.jpg": encoded(SUBJECT, "JPEG")[:-2],
    }


def _refused() -> Mapping[str, tuple[bytes, str]]:
    """Return files that must be refused: name → content and reason."""
    whole = encoded(SUBJECT, "JPEG")
    return {
        "bad-jpeg2000.jpg": (encoded(SUBJECT, "JPEG2000"), "unsupported_format"),
        "bad-svg.jpg": (b"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>", "unsupported_format"),
        "bad-pdf.jpg": (encoded(SUBJECT, "PDF"), "unsupported_format"),
        "bad-heic.jpg": (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(200), "undecodable"),
        "bad-jpeg-xl.jpg": (b"\xff\x0a" + b"\1" * 200, "unsupported_format"),
        "bad-html.jpg": (b"<html>403 Forbidden</html>", "unsupported_format"),
        "bad-empty.jpg": (b"", "empty_file"),
        "bad-zeros.jpg": (bytes(4_096), "unsupported_format"),
        "bad-1x10000.png": (encoded(Image.new("RGB", (1, 10_000), "red"), "PNG"), "too_small"),
        "bad-20x10000.png": (encoded(Image.new("RGB", (20, 10_000), "red"), "PNG"), "too_narrow"),
        "bad-half.jpg": (whole[: len(whole) // 2], "undecodable"),
        "bad-without-20-bytes.jpg": (whole[:-20], "undecodable"),
        "bad-bomb.png": (_bomb(), "too_many_pixels"),
    }


def _build(case: Path) -> None:
    for name, content in _whole().items():
        put(case / "photos" / name, content)
    for name, (content, _) in _refused().items():
        put(case / "photos" / name, content)


def shown_upright() -> Mapping[str, Image.Image]:
    """Return how a viewer shows some pictures of the case: id by path → RGB picture."""
    turned = {f"ok-orientation{turn}.jpg": SUBJECT.transpose(how) for turn, how in _BY_ORIENTATION.items()}
    flat = {"ok-cmyk.jpg": SUBJECT, "ok-mpo.jpg": SUBJECT, "ok-avif-called.jpg": SUBJECT, "ok-big-exif.jpg": SUBJECT}
    grey = ImageOps.grayscale(SUBJECT).convert("RGB")
    return {**turned, **flat, "ok-16bit.png": grey, "ok-animated.gif": _FRAMES[0], "ok-pages.tif": _FRAMES[0]}


ZOO = Case(
    10,
    "image-zoo",
    _build,
    (
        Part(
            "photos",
            {
                "images": Outcome(
                    accepted=frozenset(_whole()),
                    refused={(name, 0): reason for name, (_, reason) in _refused().items()},
                    by_path=True,
                )
            },
        ),
    ),
)
CASES = (ZOO,)
