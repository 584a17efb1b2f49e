"""Pictures of every colour mode → RGB: scaled to 8 bits, through their colour profile, on white where transparent."""

import io
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from PIL import Image, ImageCms

# A conversion needs several times the memory of what it converts: large pictures are converted so much at a time.
BAND_PIXELS = 4_000_000
_SRGB = ImageCms.createProfile("sRGB")
# The numbers of ITU-T H.273 for Display P3's primaries, and for the brightness curves of HDR, PQ and HLG.
_P3_PRIMARIES, _HDR_CURVES = 12, (16, 18)
# Light of Display P3 → light of sRGB; both have the same white.
_P3_TO_SRGB = np.array(
    [[1.2249402, -0.2249402, 0], [-0.0420570, 1.0420570, 0], [-0.0196376, -0.0786360, 1.0982736]], np.float32
)

Conversion = Callable[[Image.Image], Image.Image]


def reduced_rgb(image: Image.Image, factor: int) -> Image.Image:
    """Return a loaded picture as RGB, each square of `factor` x `factor` pixels averaged into one."""
    convert = _conversion(image)
    width, height = image.size
    if width * height <= BAND_PIXELS:
        rgb = convert(image)
        return rgb.reduce(factor) if factor > 1 else rgb
    whole = Image.new("RGB", (-(-width // factor), -(-height // factor)))
    rows = max(1, BAND_PIXELS // (width * factor)) * factor
    for top in range(0, height, rows):
        band = convert(image.crop((0, top, width, min(top + rows, height))))
        whole.paste(band.reduce(factor), (0, top // factor))
    return whole


def in_srgb(rgb: Image.Image, info: Mapping[Any, Any]) -> Image.Image:
    """Return the sRGB of RGB whose colours are those of a profile, or of numbers (nclx), in `info`.

    What is in HDR keeps its values: it has no colours of sRGB without a choice of how to dim it.
    """
    if profile := info.get("icc_profile"):
        transform = _profile_transform("RGB", profile)
        return (transform and ImageCms.applyTransform(rgb, transform)) or rgb
    named = info.get("nclx_profile") or {}
    if named.get("color_primaries") != _P3_PRIMARIES or named.get("transfer_characteristics") in _HDR_CURVES:
        return rgb
    values = np.arange(256, dtype=np.float32) / 255
    light = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)[np.asarray(rgb)]
    light = (light @ _P3_TO_SRGB.T).clip(0, 1)
    values = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    return Image.fromarray((values * 255).round().astype(np.uint8))


def _conversion(image: Image.Image) -> Conversion:
    """Return what makes RGB of a picture, or of a part of it: what depends on the whole is decided here."""
    if image.mode.startswith("I;16"):
        return _from_16_bits
    if image.mode in ("I", "F"):
        return _from_numbers_up_to(_white_of(image))
    if image.mode in ("CMYK", "LAB") and (transform := _profile_transform(image.mode, image.info.get("icc_profile"))):
        return lambda part: ImageCms.applyTransform(part, transform) or part
    if image.mode in ("RGBA", "LA", "PA", "RGBa") or "transparency" in image.info:
        return _on_white
    # A conversion of RGB to RGB would be a copy.
    return (lambda part: part) if image.mode == "RGB" else (lambda part: part.convert("RGB"))


def _from_16_bits(image: Image.Image) -> Image.Image:
    values = np.asarray(image)
    # The upper byte: what Pillow keeps of 16-bit RGB too.
    grey = (values >> 8).astype(np.uint8)
    if "transparency" in image.info:
        grey[values == image.info["transparency"]] = 255
    return Image.fromarray(grey).convert("RGB")


def _white_of(image: Image.Image) -> float:
    """Return the value that stands for white: 32-bit and float pictures do not say, so their largest decides."""
    largest = float(np.ravel(image.getextrema())[1])
    usual = (1, 255, 65535) if image.mode == "F" else (255, 65535)
    return next((float(white) for white in usual if largest <= white), largest)


def _from_numbers_up_to(white: float) -> Conversion:
    def convert(image: Image.Image) -> Image.Image:
        with np.errstate(all="ignore"):
            values = np.nan_to_num(np.asarray(image, dtype=np.float64) / white * 255)
        return Image.fromarray(values.clip(0, 255).astype(np.uint8)).convert("RGB")

    return convert


def _profile_transform(mode: str, icc_profile: bytes | None) -> ImageCms.ImageCmsTransform | None:
    """Return the way to sRGB by a picture's profile; None where it has none of its own mode that can be read."""
    try:
        if mode == "LAB":
            profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
        else:
            profile = ImageCms.ImageCmsProfile(io.BytesIO(icc_profile or b""))
            if profile.profile.xcolor_space.strip() != mode:
                return None
        return ImageCms.buildTransform(profile, _SRGB, mode, "RGB")
    except (TypeError, ValueError, OSError, ImageCms.PyCMSError):
        return None


def _on_white(image: Image.Image) -> Image.Image:
    coloured = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", coloured.size, "white"), coloured).convert("RGB")
