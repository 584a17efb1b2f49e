"""The bytes of a landed file → an upright RGB picture of a bounded size, or the reason of a refusal."""

import io
import math
import warnings
from dataclasses import dataclass

import cv2
import numpy as np
import simplejpeg
from PIL import ExifTags, Image, PngImagePlugin, TiffImagePlugin, UnidentifiedImageError

from vsearch_lib.images import heif
from vsearch_lib.images.colour import in_srgb, reduced_rgb
from vsearch_lib.images.jpeg_end import with_end_marker
from vsearch_lib.images.measures import brightness, phash, sharpness
from vsearch_lib.images.signatures import accepted_format, describe

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", *heif.FORMATS)
JPEG_QUALITY = 90

# We check our own pixel limit on the header: Pillow's limit would first warn and then raise a different error.
Image.MAX_IMAGE_PIXELS = None

# Spark runs one task per core: OpenCV must not start threads of its own.
cv2.setNumThreads(1)
# EXIF orientation → the transposition that turns the stored picture upright.
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SIDEWAYS = (5, 6, 7, 8)
# Pillow's name of a layout with 2 or 4 bits of grey → the 8-bit grey of one step.
_GREY_STEPS = {"L;2": 85, "L;4": 17}
# TIFF's NewSubfileType; its lowest bit says that the page is a smaller copy of another page.
_KIND_OF_PAGE = 254


@dataclass(frozen=True)
class Limits:
    """Limits of an accepted picture, and the length in pixels to which its shorter side is shrunk for storage (`size`).

    `max_bytes` limits the file, `max_pixels` width x height, `min_side` the shorter side in pixels, and `max_aspect`
    the longer side divided by the shorter.
    """

    max_bytes: int
    max_pixels: int
    min_side: int
    size: int
    max_aspect: float = math.inf


@dataclass(frozen=True)
class Picture:
    """A normalised picture: its stored JPEG, and facts.

    `width`, `height` (of the upright picture, in pixels) and `mode` are facts of the landed picture. `brightness` is
    the mean luma (0–255) of the stored picture, and `sharpness` the variance of the Laplacian of that luma.
    """

    jpeg: bytes
    phash: str
    width: int
    height: int
    mode: str
    brightness: float
    sharpness: float


class RefusedPicture(Exception):
    """Raised when bytes are not an accepted picture; `reason` is a code of `quarantine.reasons.REASONS`."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def normalise(content: bytes, limits: Limits) -> Picture:
    """Decode, turn upright, convert to RGB, shrink to `limits.size` and encode as JPEG.

    A file that is in this form already keeps its bytes: to encode it again would change its vector slightly.

    Raises:
        RefusedPicture: with the reason code and one line of detail.
    """
    rgb, (width, height), mode = _read(content, limits, limits.size)
    luma = rgb.convert("L")
    jpeg = _encoded(rgb)
    if _is_normal(content, jpeg):
        jpeg = content
    values = np.asarray(luma)
    return Picture(jpeg, phash(luma), width, height, mode, brightness(values), sharpness(values))


def upright_rgb(content: bytes, limits: Limits) -> Image.Image:
    """Return the whole picture, upright and in RGB, without shrinking it.

    Raises:
        RefusedPicture: as `normalise` does.
    """
    return _read(content, limits, limits.max_pixels)[0]


def normal_jpeg(rgb: Image.Image, limits: Limits) -> bytes:
    """Return an upright RGB picture as the JPEG that `normalise` makes of a file with the same pixels.

    Raises:
        RefusedPicture: a picture of these sides is not accepted.
    """
    _check_sides(rgb, limits)
    return _encoded(_shrunk(rgb, _target(rgb.size, limits.size)))


def _read(content: bytes, limits: Limits, size: int) -> tuple[Image.Image, tuple[int, int], str]:
    """Return the picture (upright, in RGB, shrunk), the upright sides of the whole picture, and its mode."""
    if not content:
        raise RefusedPicture("empty_file", "0 bytes")
    if len(content) > limits.max_bytes:
        raise RefusedPicture("too_many_bytes", f"{len(content)} bytes, limit {limits.max_bytes}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        image = _open(content)
        _check_sides(image, limits)
        mode = image.mode
        try:
            return *_decode(image, size), mode
        except RefusedPicture:
            whole = with_end_marker(content) if image.format in ("JPEG", "MPO") else None
            if whole is None:
                raise
            return *_decode(_open(whole), size), mode


def _is_normal(content: bytes, encoded: bytes) -> bool:
    """Whether `content` is a normalised picture: it has the header of `encoded`, and nothing after its end marker.

    `encoded` is the JPEG that was made of `content`. Equal headers mean equal sides, tables and layout, and no metadata
    that a normalised picture does not have. The end marker cannot occur inside the pixel data.
    """
    scan = encoded.find(b"\xff\xda")
    scan += 2 + int.from_bytes(encoded[scan + 2 : scan + 4], "big")
    return content[:scan] == encoded[:scan] and content.find(b"\xff\xd9", scan) == len(content) - 2


def _open(content: bytes) -> Image.Image:
    try:
        image = Image.open(io.BytesIO(content), formats=FORMATS)
    except UnidentifiedImageError:
        if name := accepted_format(content):
            raise RefusedPicture("undecodable", f"{name} by its first bytes, but it cannot be opened") from None
        raise RefusedPicture("unsupported_format", describe(content)) from None
    except Exception as error:
        raise RefusedPicture("undecodable", _first_line(error)) from None
    if isinstance(image, TiffImagePlugin.TiffImageFile) and _is_camera_raw(image, content):
        raise RefusedPicture("unsupported_format", "camera raw file (CR2, NEF, ARW, DNG and the like)")
    if image.format in heif.FORMATS and (box := heif.cut_box(content)):
        raise RefusedPicture("undecodable", f"the file ends inside its box {box}")
    if image.format == "AVIF":
        image.info["nclx_profile"] = heif.named_colours(content)
        # Pillow has applied the orientation of the picture itself; the orientation in XMP is that before it.
        image.info.pop("xmp", None)
    return image


def _is_camera_raw(image: TiffImagePlugin.TiffImageFile, content: bytes) -> bool:
    """Whether a TIFF is a raw file of a camera: its first page, the only one Pillow reads, is a small preview."""
    kind = image.tag_v2.get(_KIND_OF_PAGE, 0)
    return content[8:10] == b"CR" or bool(isinstance(kind, int) and kind & 1 and ExifTags.Base.SubIFDs in image.tag_v2)


def _check_sides(image: Image.Image, limits: Limits) -> None:
    width, height = image.size
    if max(width * height, _tile_pixels(image)) > limits.max_pixels:
        raise RefusedPicture("too_many_pixels", f"{width} x {height}, limit {limits.max_pixels} pixels")
    if min(width, height) < limits.min_side:
        raise RefusedPicture("too_small", f"{width} x {height}, shortest side must be {limits.min_side} or more")
    if max(width, height) > limits.max_aspect * min(width, height):
        raise RefusedPicture("too_narrow", f"{width} x {height}, longer side may be {limits.max_aspect:g} x shorter")


def _tile_pixels(image: Image.Image) -> int:
    """Return the pixels of a TIFF tile: a tile is always decoded whole, even if the picture covers little of it."""
    if not isinstance(image, TiffImagePlugin.TiffImageFile):
        return 0
    sides = [image.tag_v2.get(tag, 0) for tag in (TiffImagePlugin.TILEWIDTH, TiffImagePlugin.TILELENGTH)]
    return math.prod(side if isinstance(side, int) else 0 for side in sides)


def _decode(image: Image.Image, size: int) -> tuple[Image.Image, tuple[int, int]]:
    """Return the picture (upright, in RGB, shrunk), and the upright sides of the whole picture."""
    width, height = image.size
    target = _target(image.size, size)
    try:
        if target != image.size:
            # JPEG can be decoded directly to 1/2, 1/4 or 1/8 of its size: this saves most of a large photo's work.
            image.draft("RGB", target)
        _scale_transparency(image)
        image.load()
        # After loading: Pillow turns a TIFF upright as it loads it, and removes its orientation.
        orientation = _orientation(image)
        rgb = _shrunk(image, target)
        if image.format in heif.FORMATS:
            rgb = in_srgb(rgb, image.info)
    except Exception as error:
        # Decoders raise OSError, SyntaxError, ValueError, struct.error, MemoryError and more on broken files.
        raise RefusedPicture("undecodable", _first_line(error)) from None
    upright = (height, width) if orientation in _SIDEWAYS else (width, height)
    # Turned last, because turning the small picture costs almost nothing.
    return (rgb.transpose(_TURNS[orientation]) if orientation in _TURNS else rgb), upright


def _target(sides: tuple[int, int], size: int) -> tuple[int, int]:
    """Return the sides of a picture after its shorter side is shrunk to `size`."""
    scale = min(1.0, size / min(sides))
    return max(1, round(sides[0] * scale)), max(1, round(sides[1] * scale))


def _shrunk(image: Image.Image, target: tuple[int, int]) -> Image.Image:
    """Return a loaded picture as RGB with the sides `target`."""
    # First averaged over squares of pixels to less than twice the stored size, then interpolated: no pixel is skipped,
    # and OpenCV's interpolation takes a quarter of the time of Pillow's filters.
    factor = max(1, int(min(image.width / target[0], image.height / target[1])))
    rgb = reduced_rgb(image, factor)
    if rgb.size == target:
        return rgb
    return Image.fromarray(cv2.resize(np.asarray(rgb), target, interpolation=cv2.INTER_LINEAR))


def _encoded(rgb: Image.Image) -> bytes:
    pixels = np.asarray(rgb)
    return bytes(simplejpeg.encode_jpeg(pixels, quality=JPEG_QUALITY, colorspace="RGB", colorsubsampling="420"))


def _scale_transparency(image: Image.Image) -> None:
    """Scale PNG's transparent colour to 8 bits, as its pixels are: Pillow leaves it at the bit depth of the file."""
    if not isinstance(image, PngImagePlugin.PngImageFile) or "transparency" not in image.info or not image.tile:
        return
    value, layout = image.info["transparency"], image.tile[0].args
    if layout in _GREY_STEPS:
        image.info["transparency"] = value * _GREY_STEPS[layout]
    elif layout == "RGB;16B":
        image.info["transparency"] = tuple(part >> 8 for part in value)


def _orientation(image: Image.Image) -> object:
    try:
        return image.getexif().get(ExifTags.Base.Orientation)
    except Exception:
        return None  # broken EXIF does not make the picture broken


def _first_line(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else 'no detail'}"[:200]
