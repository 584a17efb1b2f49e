"""The bytes of a file become an upright RGB picture of a bounded size, or are refused with a reason."""

import io
import struct
import zlib
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from PIL import Image

from vsearch_lib.config import PROJECT
from vsearch_lib.images.decode import Limits, Picture, RefusedPicture, normalise, upright_rgb
from vsearch_lib.quarantine.reasons import REASONS

LIMITS = Limits(max_bytes=20_000_000, max_pixels=50_000_000, max_aspect=20, min_side=16, size=64)
REAL = PROJECT.parent / "shared" / "data" / "malformed"
real_files = pytest.mark.skipif(not REAL.is_dir(), reason="the real files of ../shared/data are not here")
FORMS = ["JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "HEIF", "AVIF"]
RED, GREEN, BLUE, YELLOW = (220, 30, 30), (30, 180, 30), (30, 30, 220), (220, 220, 30)


def scene(width: int = 48, height: int = 32) -> Image.Image:
    """Four quarters of different colours: every rotation or mirroring gives a different picture."""
    image = Image.new("RGB", (width, height), RED)
    image.paste(GREEN, (width // 2, 0, width, height // 2))
    image.paste(BLUE, (0, height // 2, width // 2, height))
    image.paste(YELLOW, (width // 2, height // 2, width, height))
    return image


def encoded(image: Image.Image, form: str = "PNG", **options) -> bytes:
    sink = io.BytesIO()
    image.save(sink, form, **options)
    return sink.getvalue()


def oriented(upright: Image.Image, orientation: int, form: str = "JPEG") -> bytes:
    """The file of a camera held at this orientation: stored turned, with the EXIF tag that turns it upright."""
    stored = {
        1: None,
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"quality": 95, "subsampling": 0} if form == "JPEG" else {}
    # As bytes: from an Exif object, pillow-heif writes the tag, but not the rotation of the picture itself.
    return encoded(upright.transpose(stored) if stored is not None else upright, form, exif=exif.tobytes(), **options)


def pixels(picture: Picture) -> np.ndarray:
    stored = Image.open(io.BytesIO(picture.jpeg))
    assert (stored.format, stored.mode) == ("JPEG", "RGB")
    return np.asarray(stored).astype(int)


def quarters(picture: Picture) -> list[tuple[int, ...]]:
    """The colours at the centres of the four quarters."""
    array = pixels(picture)
    height, width, _ = array.shape
    return [tuple(array[y * height // 4, x * width // 4]) for y in (1, 3) for x in (1, 3)]


def about(got, wanted, tolerance: int = 12) -> bool:
    return bool(np.abs(np.subtract(got, wanted)).max() <= tolerance)


def refused(content: bytes, limits: Limits = LIMITS) -> str:
    with pytest.raises(RefusedPicture) as caught:
        normalise(content, limits)
    assert caught.value.reason in REASONS
    assert str(caught.value)
    assert "\n" not in str(caught.value)
    return caught.value.reason


# Upright


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF", "HEIF", "AVIF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_picture_is_upright_whatever_the_orientation_of_the_camera(orientation, form):
    picture = normalise(oriented(scene(), orientation, form), LIMITS)
    assert (picture.width, picture.height) == (48, 32)
    assert about(quarters(picture), [RED, GREEN, BLUE, YELLOW], 30)
    assert np.abs(pixels(picture) - np.asarray(scene())).mean() < 8


@pytest.mark.parametrize("form", ["JPEG", "HEIF", "PNG"])
def test_the_whole_picture_is_upright_and_keeps_its_landed_size(form):
    whole = upright_rgb(oriented(scene(300, 200), 6, form), LIMITS)
    assert (whole.mode, whole.size) == ("RGB", (300, 200))
    assert np.abs(np.asarray(whole).astype(int) - np.asarray(scene(300, 200))).mean() < 8


@pytest.mark.parametrize("orientation", [0, 9, 200])
def test_an_invalid_orientation_is_ignored(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = normalise(encoded(scene(), "PNG", exif=exif), LIMITS)
    assert about(quarters(picture), [RED, GREEN, BLUE, YELLOW])


@pytest.mark.parametrize(("orientation", "sides"), [(1, (530, 529)), (6, (529, 530)), (8, (529, 530))])
def test_the_sides_of_a_nearly_square_photo_are_not_swapped_when_it_is_decoded_small(orientation, sides):
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = normalise(encoded(scene(530, 529), "JPEG", exif=exif), LIMITS)
    assert (picture.width, picture.height) == sides


# Colour


def test_grey_pictures_become_grey_rgb():
    picture = normalise(encoded(Image.new("L", (20, 20), 100)), LIMITS)
    assert about(quarters(picture), [(100, 100, 100)] * 4, 2)
    assert picture.mode == "L"


def test_palettes_become_their_colours():
    picture = normalise(encoded(scene().quantize(4)), LIMITS)
    assert about(quarters(picture), [RED, GREEN, BLUE, YELLOW])
    assert picture.mode == "P"


def test_one_bit_pictures_become_black_and_white():
    image = Image.new("1", (40, 40), 1)
    image.paste(0, (0, 0, 20, 40))
    picture = normalise(encoded(image), LIMITS)
    assert about(quarters(picture), [(0, 0, 0), (255, 255, 255)] * 2, 8)


def test_sixteen_bits_become_eight():
    # 0x6400 of 0xffff is slightly less than 100 of 255.
    picture = normalise(encoded(Image.fromarray(np.full((20, 20), 0x6400, np.uint16))), LIMITS)
    assert about(quarters(picture), [(100, 100, 100)] * 4, 2)
    assert picture.mode == "I;16"


def test_sixteen_bits_of_tiff_become_eight_in_either_byte_order():
    for dtype in ("<u2", ">u2"):
        image = Image.fromarray(np.full((20, 20), 0x6400, dtype))
        assert about(quarters(normalise(encoded(image, "TIFF"), LIMITS)), [(100, 100, 100)] * 4, 2)


def test_cmyk_becomes_rgb():
    # No ink is white; full cyan removes all red.
    for ink, colour in (((0, 0, 0, 0), (255, 255, 255)), ((255, 0, 0, 0), (0, 255, 255)), ((0, 0, 0, 255), (0, 0, 0))):
        picture = normalise(encoded(Image.new("CMYK", (20, 20), ink), "JPEG"), LIMITS)
        assert about(quarters(picture), [colour] * 4, 6)
        assert picture.mode == "CMYK"


@pytest.mark.parametrize(
    ("image", "colour"),
    [
        (Image.new("RGBA", (20, 20), (200, 0, 0, 0)), (255, 255, 255)),
        (Image.new("RGBA", (20, 20), (200, 0, 0, 255)), (200, 0, 0)),
        (Image.new("RGBA", (20, 20), (0, 0, 0, 51)), (204, 204, 204)),
        (Image.new("LA", (20, 20), (0, 51)), (204, 204, 204)),
        (Image.new("LA", (20, 20), (0, 0)), (255, 255, 255)),
    ],
)
def test_transparent_pixels_become_white(image, colour):
    assert about(quarters(normalise(encoded(image), LIMITS)), [colour] * 4, 3)


@pytest.mark.parametrize("form", ["PNG", "GIF"])
def test_the_transparent_colour_of_a_palette_becomes_white(form):
    image = Image.new("P", (20, 20), 0)
    image.putpalette([200, 0, 0, 0, 200, 0])
    assert about(quarters(normalise(encoded(image, form, transparency=0), LIMITS)), [(255, 255, 255)] * 4, 3)


@pytest.mark.parametrize("form", FORMS)
def test_every_supported_format_is_accepted(form):
    assert about(quarters(normalise(encoded(scene(), form), LIMITS)), [RED, GREEN, BLUE, YELLOW], 40)


def test_the_first_frame_of_an_animation_is_used():
    content = encoded(scene(), "GIF", save_all=True, append_images=[Image.new("RGB", (48, 32), BLUE)])
    assert about(quarters(normalise(content, LIMITS)), [RED, GREEN, BLUE, YELLOW], 40)


# Size


@pytest.mark.parametrize("form", ["JPEG", "PNG"])
@pytest.mark.parametrize(
    ("landed", "stored"),
    [((640, 320), (128, 64)), ((100, 400), (64, 256)), ((64, 64), (64, 64)), ((65, 130), (64, 128))],
)
def test_the_shorter_side_is_shrunk_to_the_size(form, landed, stored):
    picture = normalise(encoded(scene(*landed), form), LIMITS)
    height, width, _ = pixels(picture).shape
    assert (width, height) == stored
    assert (picture.width, picture.height) == landed


@pytest.mark.parametrize("side", [16, 40, 63])
def test_a_small_picture_is_never_enlarged(side):
    picture = normalise(encoded(scene(side, side + 10)), LIMITS)
    assert pixels(picture).shape == (side + 10, side, 3)


@examples(max_examples=40, deadline=None)
@given(st.integers(16, 300), st.integers(16, 300), st.integers(1, 8))
def test_the_stored_shorter_side_is_the_smaller_of_size_and_landed(width, height, orientation):
    picture = normalise(oriented(scene(width, height), orientation), LIMITS)
    stored = pixels(picture).shape[:2]
    assert min(stored) == min(64, width, height)
    assert (picture.width, picture.height) == (width, height)
    assert (stored[0] >= stored[1]) == (height >= width) or stored[0] == stored[1]


def test_a_long_thin_picture_keeps_its_shape():
    picture = normalise(encoded(scene(2000, 100)), LIMITS)
    assert pixels(picture).shape == (64, 1280, 3)


# The same again


def test_the_same_bytes_give_the_same_picture():
    content = oriented(scene(200, 150), 6)
    assert normalise(content, LIMITS) == normalise(content, LIMITS)


def test_the_hash_is_16_hex_digits_and_differs_between_pictures():
    noise = np.random.default_rng(1)
    one, other = (
        normalise(encoded(Image.fromarray(noise.integers(0, 255, (8, 8, 3), np.uint8)).resize((64, 64))), LIMITS)
        for _ in range(2)
    )
    for picture in (one, other):
        assert len(picture.phash) == 16
        assert int(picture.phash, 16) >= 0
    assert (int(one.phash, 16) ^ int(other.phash, 16)).bit_count() > 10


def test_the_hash_hardly_changes_when_a_picture_is_stored_in_another_format():
    photo = Image.fromarray(np.random.default_rng(1).integers(0, 255, (8, 8, 3), np.uint8)).resize((96, 96))
    hashes = [int(normalise(encoded(photo, form), LIMITS).phash, 16) for form in ("PNG", "JPEG", "WEBP")]
    assert max((hashes[0] ^ other).bit_count() for other in hashes) <= 6


# Refusals


def test_a_file_of_no_bytes_is_refused_as_empty_file():
    assert refused(b"") == "empty_file"


def test_a_file_above_the_limit_of_bytes_is_refused():
    content = encoded(scene())
    assert normalise(content, Limits(len(content), 10_000, 16, 64))
    assert refused(content, Limits(len(content) - 1, 10_000, 16, 64)) == "too_many_bytes"


def test_a_picture_above_the_limit_of_pixels_is_refused():
    assert normalise(encoded(scene(50, 40)), Limits(10_000, 2_000, 16, 64))
    assert refused(encoded(scene(50, 41)), Limits(10_000, 2_000, 16, 64)) == "too_many_pixels"


def test_a_decompression_bomb_is_refused_by_its_header():
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"0")) + chunk(b"IEND", b"")
    assert refused(bomb) == "too_many_pixels"


@pytest.mark.parametrize("sides", [(15, 100), (100, 15), (1, 1)])
def test_a_picture_below_the_limit_of_sides_is_too_small(sides):
    assert refused(encoded(Image.new("RGB", sides))) == "too_small"


@pytest.mark.parametrize("sides", [(401, 20), (20, 401)])
def test_a_picture_whose_sides_differ_more_than_the_limit_is_too_narrow(sides):
    limits = Limits(10_000, 1_000_000, 16, 64, max_aspect=20)
    assert refused(encoded(Image.new("RGB", sides)), limits) == "too_narrow"
    assert normalise(encoded(Image.new("RGB", (400, 20))), limits)


def test_a_small_tiff_with_huge_tiles_is_refused_by_its_header():
    tags = {"tile": (32_768, 32_768)}
    content = bytearray(encoded(Image.new("RGB", (64, 64)), "TIFF"))
    entries = struct.pack("<HHII", 322, 4, 1, tags["tile"][0]) + struct.pack("<HHII", 323, 4, 1, tags["tile"][1])
    offset = struct.unpack_from("<I", content, 4)[0]
    count = struct.unpack_from("<H", content, offset)[0]
    directory = bytes(content[offset + 2 : offset + 2 + 12 * count])
    struct.pack_into("<I", content, 4, len(content))
    content += struct.pack("<H", count + 2) + directory + entries + bytes(4)
    assert refused(bytes(content)) == "too_many_pixels"


@pytest.mark.parametrize(
    "content",
    [b"hello", b"%PDF-1.7", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"\0" * 100, encoded(scene(), "PPM")],
    ids=["text", "pdf", "svg", "zeros", "ppm"],
)
def test_a_file_of_another_format_is_an_unsupported_format(content):
    assert refused(content) == "unsupported_format"


@pytest.mark.parametrize("form", FORMS)
def test_a_truncated_picture_is_undecodable(form):
    noisy = Image.fromarray(np.random.default_rng(2).integers(0, 255, (64, 64, 3), np.uint8))
    content = encoded(noisy, form)
    assert refused(content[: len(content) * 2 // 3]) in ("undecodable", "unsupported_format")


@pytest.mark.parametrize("form", ["JPEG", "PNG"])
def test_a_jpeg_or_png_without_its_last_third_is_undecodable(form):
    noisy = Image.fromarray(np.random.default_rng(2).integers(0, 255, (64, 64, 3), np.uint8))
    content = encoded(noisy, form)
    assert refused(content[: len(content) * 2 // 3]) == "undecodable"


def test_a_picture_with_a_broken_middle_is_undecodable():
    content = bytearray(encoded(scene(200, 200)))
    content[60:100] = bytes(40)
    assert refused(bytes(content)) == "undecodable"


@examples(max_examples=150, deadline=None)
@given(
    st.sampled_from(FORMS),
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.binary(max_size=3)), max_size=4),
    st.floats(0, 1),
)
def test_a_damaged_file_gives_a_picture_or_a_refusal(form, damage, remaining):
    content = bytearray(WHOLE[form])
    for position, patch in damage:
        start = int(position * len(content))
        content[start : start + len(patch)] = patch
    outcome(bytes(content[: int(remaining * len(content))]))


WHOLE = {form: encoded(scene(), form) for form in FORMS}


def outcome(content: bytes) -> str:
    """The outcome for a file: ok, or the reason of its refusal."""
    try:
        picture = normalise(content, LIMITS)
    except RefusedPicture as error:
        refusal = error
    else:
        assert min(pixels(picture).shape[:2]) <= LIMITS.size
        return "ok"
    assert refusal.reason in REASONS
    assert "\n" not in str(refusal)
    return refusal.reason


# Real files


@real_files
def test_every_real_file_gives_a_picture_or_a_refusal():
    files = [file for file in sorted(REAL.rglob("*")) if file.is_file()]
    outcomes = Counter(outcome(file.read_bytes()) for file in files)
    assert outcomes.total() > 1250
    assert outcomes["ok"] > 700
    assert {"unsupported_format", "too_small", "too_narrow", "undecodable", "too_many_pixels"} <= set(outcomes)


@real_files
def test_no_broken_png_of_the_suite_is_accepted_except_one_with_a_wrong_checksum():
    broken = sorted((REAL / "pngsuite").rglob("x*.png"))
    assert len(broken) >= 13
    small = Limits(LIMITS.max_bytes, LIMITS.max_pixels, 1, 64)
    # Only the checksum of the pixels is wrong in xcsn0g01.
    assert [file.name for file in broken if _is_accepted(file, small)] in ([], ["xcsn0g01.png"])


@real_files
def test_the_background_of_the_real_transparent_pngs_is_white():
    corners = {}
    for file in sorted((REAL / "pngsuite" / "png").glob("tb*.png")):
        corners[file.name] = tuple(pixels(normalise(file.read_bytes(), LIMITS))[0, 0])
    assert len(corners) >= 8
    assert all(about(corner, (255, 255, 255), 8) for corner in corners.values()), corners


@real_files
@pytest.mark.parametrize("name", ["Landscape", "Portrait"])
def test_a_real_scene_is_the_same_picture_at_every_orientation(name):
    limits = Limits(LIMITS.max_bytes, LIMITS.max_pixels, 16, 128)
    pictures = [normalise((REAL / "exif-orientation" / f"{name}_{n}.jpg").read_bytes(), limits) for n in range(9)]
    assert len({(picture.width, picture.height) for picture in pictures}) == 1
    assert (pictures[0].width > pictures[0].height) == (name == "Landscape")
    first = pixels(pictures[0])
    for picture in pictures[1:]:
        assert np.abs(pixels(picture) - first).mean() < 4


@real_files
def test_the_hashes_of_eighteen_turned_photos_show_two_scenes():
    scenes: list[list[Picture]] = []
    files = sorted((REAL / "exif-orientation").glob("*.jpg"))
    for file in files:
        picture = normalise(file.read_bytes(), LIMITS)
        alike = [scene for scene in scenes if (int(scene[0].phash, 16) ^ int(picture.phash, 16)).bit_count() <= 6]
        assert len(alike) <= 1
        (alike[0] if alike else scenes.append([]) or scenes[-1]).append(picture)
    assert [len(pictures) for pictures in scenes] == [9, 9]
    assert all(len({(picture.width, picture.height) for picture in pictures}) == 1 for pictures in scenes)


def _is_accepted(file: Path, limits: Limits) -> bool:
    try:
        normalise(file.read_bytes(), limits)
    except RefusedPicture:
        return False
    return True
