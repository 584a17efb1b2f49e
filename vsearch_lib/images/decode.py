"""Bytes that claim to be a picture → upright RGB of a bounded size, or a reason why not."""

import io
import warnings
from dataclasses import dataclass

import imagehash
import numpy as np
import simplejpeg
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP")
JPEG_QUALITY = 90

# The pixel limit is ours, checked on the header: Pillow's own would warn first and raise a different error later.
Image.MAX_IMAGE_PIXELS = None


@dataclass(frozen=True)
class Limits:
    """What is accepted: bytes of the file, pixels and shortest side; `size` is the stored shorter side."""

    max_bytes: int
    max_pixels: int
    min_side: int
    size: int


@dataclass(frozen=True)
class Picture:
    """A normalised picture: its JPEG, and the facts of the landed one (sides upright, in pixels)."""

    jpeg: bytes
    phash: str
    width: int
    height: int
    mode: str


class RefusedPicture(Exception):
    """Raised when bytes are not a picture we take; `reason` is a code of `landing.refusal.REASONS`."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def normalise(content: bytes, limits: Limits) -> Picture:
    """Decode, turn upright, convert to RGB, shrink to `limits.size` and encode as JPEG.

    Raises:
        RefusedPicture: with the reason code and one line of detail.
    """
    if not content:
        raise RefusedPicture("empty_file", "0 bytes")
    if len(content) > limits.max_bytes:
        raise RefusedPicture("too_many_bytes", f"{len(content)} bytes, limit {limits.max_bytes}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        image = _open(content)
        width, height = image.size
        if width * height > limits.max_pixels:
            raise RefusedPicture("too_many_pixels", f"{width} x {height}, limit {limits.max_pixels} pixels")
        if min(width, height) < limits.min_side:
            raise RefusedPicture("too_small", f"{width} x {height}, shortest side must be {limits.min_side} or more")
        mode = image.mode
        rgb, upright_size = _decode(image, limits.size)
    pixels = np.ascontiguousarray(np.asarray(rgb))
    jpeg = simplejpeg.encode_jpeg(pixels, quality=JPEG_QUALITY, colorspace="RGB", colorsubsampling="420")
    return Picture(jpeg, str(imagehash.phash(rgb)), *upright_size, mode)


def _open(content: bytes) -> Image.Image:
    try:
        return Image.open(io.BytesIO(content), formats=FORMATS)
    except UnidentifiedImageError:
        raise RefusedPicture("unsupported_format", f"starts with {content[:8].hex()}") from None
    except Exception as error:
        raise RefusedPicture("undecodable", _first_line(error)) from None


def _decode(image: Image.Image, size: int) -> tuple[Image.Image, tuple[int, int]]:
    """Return the shrunk RGB picture and the upright sides of the whole one."""
    width, height = image.size
    scale = size / min(width, height)
    try:
        if scale < 1:
            # JPEG decodes straight to 1/2, 1/4 or 1/8: most of the work of a large photo saved.
            image.draft("RGB", (max(1, round(width * scale)), max(1, round(height * scale))))
        image.load()
        # Asked of the file: the sides of a picture decoded small may have become equal. TIFF is upright by now.
        sideways = image.getexif().get(ExifTags.Base.Orientation) in (5, 6, 7, 8)
        rgb = to_rgb(ImageOps.exif_transpose(image))
    except Exception as error:
        # Decoders raise OSError, SyntaxError, ValueError, struct.error, MemoryError and more on broken files.
        raise RefusedPicture("undecodable", _first_line(error)) from None
    upright = (height, width) if sideways else (width, height)
    if scale < 1:
        target = (max(1, round(upright[0] * scale)), max(1, round(upright[1] * scale)))
        rgb = rgb.resize(target, Image.Resampling.BILINEAR, reducing_gap=2.0)
    return rgb, upright


def to_rgb(image: Image.Image) -> Image.Image:
    """Return a loaded picture as RGB: transparency on white, 16 bits scaled to 8."""
    if image.mode.startswith("I;16") or image.mode in ("I", "F"):
        values = np.asarray(image, dtype=np.float64)
        # 16 bits a channel are scaled; 32-bit and float pictures have no fixed white, so their own range is used.
        top = 65535.0 if image.mode.startswith("I;16") or values.max(initial=0) > 255 else 255.0
        return Image.fromarray(np.clip(values / top * 255, 0, 255).astype(np.uint8)).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        coloured = image.convert("RGBA")
        white = Image.new("RGBA", coloured.size, "white")
        return Image.alpha_composite(white, coloured).convert("RGB")
    return image.convert("RGB")


def _first_line(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else 'no detail'}"[:200]
