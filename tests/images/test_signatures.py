"""The refusal of a file that is not an accepted picture names its format in one clear line."""

import gzip
import io
import struct
import zipfile

import pytest
from PIL import Image, TiffImagePlugin

from vsearch_lib.images.decode import Limits, RefusedPicture, normalise
from vsearch_lib.images.signatures import accepted_format, describe

LIMITS = Limits(max_bytes=20_000_000, max_pixels=50_000_000, min_side=16, size=64)


def archive() -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as file:
        file.writestr("a", "b")
    return sink.getvalue()


def written(form: str) -> bytes:
    sink = io.BytesIO()
    Image.new("RGB", (32, 32)).save(sink, form)
    return sink.getvalue()


def refusal(content: bytes) -> tuple[str, str]:
    with pytest.raises(RefusedPicture) as caught:
        normalise(content, LIMITS)
    return caught.value.reason, str(caught.value)


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (written("JPEG2000"), "JPEG 2000"),
        (b"\xff\x0a" + bytes(30), "JPEG XL"),
        (bytes.fromhex("0000000c4a584c200d0a870a"), "JPEG XL"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG drawing"),
        (b"<?xml version='1.0'?>\n<!-- made by hand -->\n<svg/>", "SVG drawing"),
        (b"<?xml version='1.0'?><rss/>", "XML"),
        (written("PDF"), "PDF"),
        (b"\n<!DOCTYPE HTML><title>Not found", "HTML page"),
        (b"<?xml version='1.0'?><html xmlns='http://www.w3.org/1999/xhtml'><svg/>", "HTML page"),
        (archive(), "ZIP archive"),
        (gzip.compress(b"x", mtime=0), "gzip archive"),
        (b"\0\0\0\x18ftypisom\0\0\2\0isomiso2", "MP4 video"),
        (b"\0\0\0\x14ftypqt  \0\0\0\0qt  ", "QuickTime video"),
        (b"\0\0\0\x18ftypcrx \0\0\0\1crx isom", "Canon raw file (CR3)"),
        (b"8BPS\0\1" + bytes(20), "Photoshop file (PSD)"),
        (written("ICO"), "icon (ICO)"),
        (written("PPM"), "portable anymap (PBM, PGM, PPM or PAM)"),
        (b"RIFF\x10\0\0\0AVI LIST", "AVI video"),
    ],
)
def test_a_known_format_is_named(content, name):
    assert refusal(content) == ("unsupported_format", f"{name}, by its first bytes")


@pytest.mark.parametrize("length", [1, 15, 16, 4096])
def test_zero_bytes_are_named(length):
    assert refusal(bytes(length)) == ("unsupported_format", "only zero bytes at its start")


@pytest.mark.parametrize(
    "text", [b"Not found\r\n", "größer".encode(), "ü".encode() * 900 + b"!", b"x" + "ü".encode() * 900]
)
def test_text_is_named(text):
    assert refusal(text) == ("unsupported_format", "plain text")


@pytest.mark.parametrize("content", [b"\x01\x02\x03\xfe\xff\0\0\0\0", b"caf\xe9 au lait"])
def test_the_message_of_an_unknown_format_has_its_first_bytes(content):
    assert refusal(content) == (
        "unsupported_format",
        f"unknown format; it starts with {content[:8].hex(' ')}",
    )


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WebP", "GIF", "TIFF", "AVIF"])
def test_a_file_that_only_begins_like_an_accepted_format_is_undecodable(form):
    content = written(form.upper())
    assert accepted_format(content) == form
    assert refusal(content[:16] + b"\xfe" * 100)[0] == "undecodable"


def test_many_opened_tags_do_not_slow_the_search():
    # A pattern that can match in many ways would take extremely long to fail here.
    assert describe(b"<!>" * 10_000) == "plain text"
    assert describe(b"<?xml" + b"<!-- >" * 10_000) == "XML, by its first bytes"


# Raw files of cameras


def test_the_preview_of_a_raw_file_is_not_accepted_as_the_picture():
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[254] = 1  # a smaller copy of another page
    tags.tagtype[254] = 4
    plain, nef = io.BytesIO(), io.BytesIO()
    Image.new("RGB", (160, 120)).save(plain, "TIFF", tiffinfo=tags)
    tags[330] = 8  # where that page is
    tags.tagtype[330] = 4
    Image.new("RGB", (160, 120)).save(nef, "TIFF", tiffinfo=tags)
    assert normalise(plain.getvalue(), LIMITS).width == 160
    assert refusal(nef.getvalue()) == ("unsupported_format", "camera raw file (CR2, NEF, ARW, DNG and the like)")


def test_a_raw_file_of_canon_is_recognised_by_its_header():
    tiff = bytearray(written("TIFF"))
    page = struct.unpack_from("<I", tiff, 4)[0]
    assert page == 8
    length = 2 + 12 * struct.unpack_from("<H", tiff, page)[0] + 4
    tiff[4:8] = struct.pack("<I", len(tiff))
    tiff += tiff[page : page + length]
    assert normalise(bytes(tiff), LIMITS).width == 32
    # Canon's mark is at the position where the first page of other files begins.
    tiff[8:12] = b"CR\2\0"
    assert refusal(bytes(tiff)) == ("unsupported_format", "camera raw file (CR2, NEF, ARW, DNG and the like)")
