"""Whatever colour mode a file has, its picture has the colours that a viewer shows, and memory is bounded."""

import io
import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest
import simplejpeg
from PIL import Image, ImageCms

from vsearch_lib.images import colour
from vsearch_lib.images.colour import reduced_rgb
from vsearch_lib.images.decode import Limits, normalise

LIMITS = Limits(max_bytes=20_000_000, max_pixels=50_000_000, min_side=16, size=64)
SIDES = (20, 20)


def encoded(image: Image.Image, form: str, **options) -> bytes:
    sink = io.BytesIO()
    image.save(sink, form, **options)
    return sink.getvalue()


def png(width: int, height: int, *, depth: int, kind: int, rows: list[bytes], transparent: bytes = b"") -> bytes:
    """A PNG of any bit depth: Pillow writes few of them."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    packer = zlib.compressobj(1)
    lines = b"".join(packer.compress(b"\0" + row) for row in rows) + packer.flush()
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0))
    colour_key = chunk(b"tRNS", transparent) if transparent else b""
    return b"\x89PNG\r\n\x1a\n" + head + colour_key + chunk(b"IDAT", lines) + chunk(b"IEND", b"")


def middle(content: bytes) -> tuple[int, ...]:
    """The colour in the middle of the stored picture."""
    stored = np.asarray(Image.open(io.BytesIO(normalise(content, LIMITS).jpeg)))
    return tuple(int(part) for part in stored[stored.shape[0] // 2, stored.shape[1] // 2])


def about(got, wanted, tolerance: int = 4) -> bool:
    return bool(np.abs(np.subtract(got, wanted)).max() <= tolerance)


@pytest.mark.parametrize(("kind", "channels"), [(0, 1), (2, 3), (4, 2), (6, 4)], ids=["grey", "rgb", "grey+a", "rgba"])
def test_a_png_of_16_bits_per_channel_becomes_8_bits(kind, channels):
    colours = [0xC8C8, 0x6464, 0x1414, 0xFFFF] if channels > 2 else [0x6464, 0xFFFF]
    row = struct.pack(">" + "H" * channels, *colours[:channels]) * 20
    expected = (200, 100, 20) if channels > 2 else (100, 100, 100)
    assert about(middle(png(*SIDES, depth=16, kind=kind, rows=[row] * 20)), expected)


@pytest.mark.parametrize(
    ("depth", "kind", "pixel", "transparent"),
    [
        (16, 0, ">H", (0x1234,)),
        (16, 2, ">HHH", (0x1234, 0x4321, 0x2211)),
        (8, 0, ">B", (77,)),
        (8, 2, ">BBB", (77, 78, 79)),
    ],
)
def test_the_transparent_colour_of_a_png_becomes_white_at_every_bit_depth(depth, kind, pixel, transparent):
    row = struct.pack(pixel, *transparent) * 20
    shown = png(*SIDES, depth=depth, kind=kind, rows=[row] * 20)
    hidden = png(
        *SIDES, depth=depth, kind=kind, rows=[row] * 20, transparent=struct.pack(f">{kind + 1}H", *transparent)
    )
    assert middle(hidden) == (255, 255, 255)
    assert max(middle(shown)) < 100


@pytest.mark.parametrize(("depth", "step"), [(2, 1), (4, 5)])
def test_the_transparent_grey_of_a_png_of_few_bits_becomes_white(depth, step):
    row = bytes([sum(step << shift for shift in range(0, 8, depth))]) * (20 * depth // 8)
    assert max(middle(png(*SIDES, depth=depth, kind=0, rows=[row] * 20))) < 100
    transparent = struct.pack(">H", step)
    assert middle(png(*SIDES, depth=depth, kind=0, rows=[row] * 20, transparent=transparent)) == (255, 255, 255)


@pytest.mark.parametrize(
    ("values", "grey"),
    [
        (np.full(SIDES, 0.5, np.float32), 127),
        (np.full(SIDES, 100, np.float32), 100),
        (np.full(SIDES, 0x6464, np.int32), 100),
        (np.full(SIDES, np.nan, np.float32), 0),
        (np.full(SIDES, -5, np.int32), 0),
    ],
    ids=["0 to 1", "float", "integer", "not a number", "negative"],
)
def test_32_bit_and_float_values_are_scaled_by_the_white_that_fits_them(values, grey):
    assert about(middle(encoded(Image.fromarray(values), "TIFF")), [grey] * 3)


def test_lab_becomes_the_same_colours_in_rgb():
    for rgb in ((200, 30, 40), (30, 160, 60), (128, 128, 128)):
        lab = ImageCms.applyTransform(
            Image.new("RGB", SIDES, rgb),
            ImageCms.buildTransform(ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB"),
        )
        assert about(middle(encoded(lab, "TIFF")), rgb, 8)


@pytest.mark.parametrize(
    ("ink", "rgb"),
    [((0, 0, 0, 0), (255, 255, 255)), ((255, 0, 0, 0), (0, 255, 255)), ((0, 0, 255, 0), (255, 255, 0))],
)
def test_cmyk_of_every_kind_of_file_is_not_inverted(ink, rgb):
    cmyk = Image.new("CMYK", SIDES, ink)
    # Like Adobe's programs, both JPEGs store 255 for no ink; the second stores YCCK.
    ycck = simplejpeg.encode_jpeg(255 - np.asarray(cmyk), colorspace="CMYK", colorsubsampling="420", quality=95)
    assert b"Adobe" in ycck
    for content in (encoded(cmyk, "JPEG"), ycck, encoded(cmyk, "TIFF")):
        picture = normalise(content, LIMITS)
        assert picture.mode == "CMYK"
        assert about(middle(content), rgb, 8)


def test_cmyk_is_converted_by_the_profile_of_its_file():
    cyan = Image.new("CMYK", SIDES, (255, 0, 0, 0))
    assert about(middle(encoded(cyan, "JPEG")), (0, 255, 255), 6)
    for form in ("JPEG", "TIFF"):
        red, green, blue = middle(encoded(cyan, form, icc_profile=_profile_of_red_ink()))
        assert red > 220
        assert max(green, blue) < 60


@pytest.mark.parametrize(
    "profile", [b"broken", ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()], ids=["broken", "of RGB"]
)
def test_a_profile_that_cannot_be_used_is_ignored(profile):
    content = encoded(Image.new("CMYK", SIDES, (255, 0, 0, 0)), "JPEG", icc_profile=profile)
    assert about(middle(content), (0, 255, 255), 6)


def _profile_of_red_ink() -> bytes:
    """A CMYK profile by which cyan ink prints red: only a reader of the profile can know that."""
    paper, red, black = (255, 128, 128), (138, 209, 198), (0, 128, 128)
    # All combinations of none or all of each of four inks; the last ink, black, varies fastest.
    values = b"".join(bytes(black if inks & 1 else red if inks & 8 else paper) for inks in range(16))
    identity = struct.pack(">9i", *(65536 if index % 4 == 0 else 0 for index in range(9)))
    curves = bytes(range(256))
    table = b"mft1" + bytes(4) + bytes([4, 3, 2, 0]) + identity + curves * 4 + values + curves * 3
    white = b"XYZ " + bytes(4) + struct.pack(">3i", 63190, 65536, 54061)
    body, entries = b"", b""
    for tag, data in ((b"A2B0", table), (b"wtpt", white)):
        body += bytes(-len(body) % 4)
        entries += tag + struct.pack(">II", 128 + 4 + 2 * 12 + len(body), len(data))
        body += data
    size = 128 + 4 + len(entries) + len(body)
    head = struct.pack(">I4sI4s4s4s", size, bytes(4), 0x02400000, b"prtr", b"CMYK", b"Lab ")
    head = (head + bytes(12) + b"acsp").ljust(68, b"\0") + struct.pack(">3i", 63190, 65536, 54061)
    return head.ljust(128, b"\0") + struct.pack(">I", 2) + entries + body


# In bands


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "LA", "CMYK", "LAB", "I;16", "F"])
@pytest.mark.parametrize("factor", [1, 3])
def test_a_picture_converted_in_bands_equals_the_picture_converted_at_once(mode, factor, monkeypatch):
    noise = np.random.default_rng(3).integers(0, 255, (100, 70, 4), np.uint8)
    if mode == "I;16":
        image = Image.fromarray(noise[..., 0].astype(np.uint16) * 257)
    elif mode == "LAB":
        image = Image.frombytes("LAB", (70, 100), noise[..., :3].tobytes())
    else:
        image = Image.fromarray(noise[..., :3]).convert("RGBA" if mode == "LA" else mode).convert(mode)
    whole = np.asarray(reduced_rgb(image, factor))
    monkeypatch.setattr(colour, "BAND_PIXELS", 1000)
    assert (np.asarray(reduced_rgb(image, factor)) == whole).all()
    assert whole.shape == (-(-100 // factor), -(-70 // factor), 3)
    assert reduced_rgb(image, 1).size == image.size


PEAK = """
import pathlib, resource, sys
from vsearch_lib.images.decode import Limits, normalise
content = sys.stdin.buffer.read()
normalise(content, Limits(20_000_000, 50_000_000, 16, 256))
status = pathlib.Path("/proc/self/status")
if status.exists():  # on Linux getrusage would count the parent process too
    held = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    print(int(held.split()[1]) * 1024)
else:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024))
"""


@pytest.mark.parametrize("kind", ["16-bit PNG", "CMYK JPEG", "RGBA PNG", "16-bit RGBA PNG", "AVIF"])
def test_the_largest_accepted_picture_is_decoded_in_less_than_a_gigabyte(kind):
    width, height = 10_000, 5_000
    if kind == "CMYK JPEG":
        content = encoded(Image.new("CMYK", (width, height), (10, 200, 30, 40)), "JPEG")
    elif kind == "AVIF":
        content = encoded(Image.new("RGBA", (width, height), (10, 200, 30, 40)), "AVIF", speed=10)
    else:
        depth, colour_type, pixel_bytes = {
            "16-bit PNG": (16, 0, 2),
            "RGBA PNG": (8, 6, 4),
            "16-bit RGBA PNG": (16, 6, 8),
        }[kind]
        rows = [bytes([100]) * (width * pixel_bytes)] * height
        content = png(width, height, depth=depth, kind=colour_type, rows=rows)
    done = subprocess.run([sys.executable, "-c", PEAK], input=content, capture_output=True, check=True)
    assert int(done.stdout) < 1_000_000_000
