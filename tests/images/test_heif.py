"""HEIC and AVIF of phones become upright pictures with the colours that a viewer shows; cut files are refused."""

import io
import random
import struct

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from vsearch_lib.images import heif
from vsearch_lib.images.decode import Limits, RefusedPicture, normalise
from vsearch_lib.quarantine.reasons import REASONS

LIMITS = Limits(max_bytes=20_000_000, max_pixels=50_000_000, min_side=16, size=64, max_aspect=20)
FORMS = ["HEIF", "AVIF"]
# CSS Color 4 gives sRGB's red in Display P3 as .9175, .2003, .1386.
P3_OF_RED, RED = (234, 51, 35), (255, 0, 0)


def encoded(image: Image.Image, form: str, **options) -> bytes:
    sink = io.BytesIO()
    image.save(sink, form, **options)
    return sink.getvalue()


def noise(width: int = 96, height: int = 64) -> Image.Image:
    return Image.fromarray(np.random.default_rng(2).integers(0, 255, (8, 12, 3), np.uint8)).resize((width, height))


def stored(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(normalise(content, LIMITS).jpeg))).astype(int)


def middle(content: bytes) -> tuple[int, ...]:
    pixels = stored(content)
    return tuple(pixels[pixels.shape[0] // 2, pixels.shape[1] // 2])


def about(got, wanted, tolerance: int = 6) -> bool:
    return bool(np.abs(np.subtract(got, wanted)).max() <= tolerance)


def outcome(content: bytes, limits: Limits = LIMITS) -> str:
    try:
        normalise(content, limits)
    except RefusedPicture as error:
        refusal = error
    else:
        return "ok"
    assert refusal.reason in REASONS
    assert str(refusal)
    assert "\n" not in str(refusal)
    return refusal.reason


# Upright


def test_a_heic_that_states_its_rotation_twice_is_turned_once():
    exif = Image.Exif()
    exif[0x0112] = 6
    upright = noise()
    content = encoded(upright.transpose(Image.Transpose.ROTATE_90), "HEIF", exif=exif.tobytes())
    assert b"irot" in content
    assert Image.open(io.BytesIO(content)).info["original_orientation"] == 6
    assert np.abs(stored(content) - np.asarray(upright)).mean() < 8


@pytest.mark.parametrize("form", FORMS)
def test_exif_or_xmp_alone_does_not_turn_a_picture(form):
    # By ISO/IEC 23008-12, irot and imir turn a picture; EXIF and XMP do not.
    exif = Image.Exif()
    exif[0x0112] = 6
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="3"/></x:xmpmeta>'
    # pillow-heif would write irot for EXIF given as bytes, and Pillow for any EXIF.
    content = encoded(noise(), form, **({"exif": exif} if form == "HEIF" else {"xmp": xmp}))
    assert b"irot" not in content
    assert np.abs(stored(content) - np.asarray(noise())).mean() < 8


def test_the_primary_picture_of_a_burst_is_used():
    shots = [Image.new("RGB", (32, 32), colour) for colour in ("red", "lime", "blue")]
    content = encoded(shots[0], "HEIF", save_all=True, append_images=shots[1:], primary_index=1)
    assert about(middle(content), (0, 255, 0))


def test_a_heic_of_tiles_is_decoded_whole():
    image = noise(200, 150)
    content = encoded(image, "HEIF", tile_size=64)
    assert b"grid" in content
    small = np.asarray(image.resize((85, 64))).astype(int)
    assert np.abs(stored(content) - small).mean() < 8


# Colour


@pytest.mark.parametrize("form", FORMS)
def test_a_display_p3_profile_is_converted_to_srgb(form):
    image = Image.new("RGB", (32, 32), P3_OF_RED)
    assert about(middle(encoded(image, form)), P3_OF_RED)
    assert about(middle(encoded(image, form, icc_profile=_display_p3())), RED)


def test_colour_numbers_of_display_p3_are_converted_to_srgb():
    image = Image.new("RGB", (32, 32), P3_OF_RED)
    heic = encoded(image, "HEIF", color_primaries=12, transfer_characteristics=13)
    avif = encoded(image, "AVIF")
    assert about(middle(avif), P3_OF_RED)
    # Pillow can write only the primaries of sRGB, number 1.
    avif = avif.replace(b"colrnclx\0\x01\0\x0d", b"colrnclx\0\x0c\0\x0d")
    for content in (heic, avif):
        assert about(middle(content), RED)


def test_display_p3_and_srgb_have_the_same_greys():
    grey = Image.new("RGB", (32, 32), (100, 100, 100))
    assert about(middle(encoded(grey, "HEIF", color_primaries=12, transfer_characteristics=13)), (100, 100, 100), 2)


def test_a_profile_that_cannot_be_used_is_ignored():
    image = Image.new("RGB", (32, 32), P3_OF_RED)
    assert about(middle(encoded(image, "HEIF", icc_profile=b"broken")), P3_OF_RED)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("colour", "shown"), [((200, 0, 0, 0), (255, 255, 255)), ((0, 0, 0, 51), (204, 204, 204)), ((200, 0, 0, 255),) * 2]
)
def test_transparent_pixels_become_white(form, colour, shown):
    assert about(middle(encoded(Image.new("RGBA", (32, 32), colour), form, quality=95)), shown[:3])


@pytest.mark.parametrize(("colour", "shown"), [((0xC8C8, 0x6464, 0x1414), (200, 100, 20)), ((0x6464,), (100,) * 3)])
def test_ten_bits_become_eight_bits(colour, shown):
    mode = "RGB;16" if len(colour) == 3 else "I;16"
    pixels = struct.pack(f"<{len(colour)}H", *colour) * (32 * 32)
    sink = io.BytesIO()
    pillow_heif.from_bytes(mode, (32, 32), pixels).save(sink, quality=95)
    assert Image.open(sink).info["bit_depth"] == 10
    assert about(middle(sink.getvalue()), shown)


# Refusals


@pytest.mark.parametrize("form", FORMS)
def test_limits_are_checked_by_the_header_without_decoding(form, monkeypatch):
    whole, thin = encoded(noise(), form), encoded(Image.new("RGB", (640, 16)), form)
    monkeypatch.setattr(Image.Image, "load", lambda _: pytest.fail("it was decoded"))
    assert outcome(whole, Limits(len(whole) - 1, 10_000, 16, 64)) == "too_many_bytes"
    assert outcome(whole, Limits(20_000, 96 * 64 - 1, 16, 64)) == "too_many_pixels"
    assert outcome(whole, Limits(20_000, 10_000, 65, 64)) == "too_small"
    assert outcome(thin) == "too_narrow"


@pytest.mark.parametrize("brand", [b"heic", b"heix", b"mif1", b"avif", b"avis"])
def test_a_header_without_content_is_undecodable(brand):
    assert outcome(b"\0\0\0\x18ftyp" + brand + bytes(200)) == "undecodable"


def test_a_heic_whose_header_states_too_small_a_size_is_undecodable():
    content = bytearray(encoded(Image.new("RGB", (640, 640)), "HEIF"))
    struct.pack_into(">II", content, content.index(b"ispe") + 8, 32, 32)
    assert outcome(bytes(content)) == "undecodable"


@pytest.mark.parametrize(("form", "options"), [("HEIF", {}), ("HEIF", {"tile_size": 64}), ("AVIF", {})])
def test_a_file_that_was_cut_is_undecodable(form, options):
    content = encoded(noise(200, 150), form, **options)
    cuts = [len(content) * part // 20 for part in range(1, 20)] + [len(content) - 1, len(content) - 20]
    assert {outcome(content[:cut]) for cut in cuts} == {"undecodable"}


def test_bytes_after_a_whole_file_are_ignored():
    content = encoded(noise(), "HEIF")
    for rest in (b"\0" * 50, b"\xff" * 50, b"\0\0\1\0abcd"):
        assert normalise(content + rest, LIMITS) == normalise(content, LIMITS)


def test_the_box_inside_which_a_file_ends_is_named():
    wide = b"\0\0\0\x01mdat" + struct.pack(">Q", 20) + b"1234"
    assert heif.cut_box(wide) is None
    assert heif.cut_box(wide[:-1]) == "mdat"
    assert heif.cut_box(b"\0\0\0\x08free" + b"\0\0\0\x09meta") == "meta"


@pytest.mark.parametrize(("form", "mode"), [("HEIF", "RGB"), ("HEIF", "RGBA"), ("AVIF", "RGB"), ("AVIF", "RGBA")])
def test_flipped_bytes_give_a_picture_or_a_refusal(form, mode):
    whole, chance = encoded(noise().convert(mode), form), random.Random(7)
    outcomes = set()
    for _ in range(150):
        content = bytearray(whole)
        for _ in range(chance.choice((1, 2, 8, 40))):
            content[chance.randrange(len(content))] = chance.randrange(256)
        outcomes.add(outcome(bytes(content)))
    assert {"ok", "undecodable"} <= outcomes


def _display_p3() -> bytes:
    """A profile of Display P3: its primaries in the profile's white, D50, and sRGB's curve."""

    def fixed(*values: float) -> bytes:
        return struct.pack(f">{len(values)}i", *(round(value * 65536) for value in values))

    tags = {
        b"wtpt": b"XYZ " + bytes(4) + fixed(0.9642, 1.0, 0.8249),
        b"rXYZ": b"XYZ " + bytes(4) + fixed(0.51512, 0.24120, -0.00105),
        b"gXYZ": b"XYZ " + bytes(4) + fixed(0.29198, 0.69225, 0.04189),
        b"bXYZ": b"XYZ " + bytes(4) + fixed(0.15710, 0.06657, 0.78407),
    }
    curve = b"para" + bytes(4) + struct.pack(">HH", 3, 0) + fixed(2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
    tags |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve)
    body, entries = b"", b""
    for name, data in tags.items():
        entries += name + struct.pack(">II", 128 + 4 + 12 * len(tags) + len(body), len(data))
        body += data
    size = 128 + 4 + len(entries) + len(body)
    head = struct.pack(">I4sI4s4s4s", size, bytes(4), 0x04000000, b"mntr", b"RGB ", b"XYZ ")
    head = (head + bytes(12) + b"acsp").ljust(68, b"\0") + fixed(0.9642, 1.0, 0.8249)
    return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + entries + body
