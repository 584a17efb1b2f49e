"""Pictures of every colour mode → RGB: scaled to 8 bits, through their colour profile, on white where transparent."""

import io
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from PIL import Image, ImageCms

# A conversion needs several times the memory of its input: a large picture is converted in bands of so many pixels.
BAND_PIXELS = 4_000_000
_SRGB = ImageCms.createProfile("sRGB")
# ITU-T H.273 numbers of Display P3's primaries, and of the two brightness curves of HDR (PQ and HLG).
_P3_PRIMARIES, _HDR_CURVES = 12, (16, 18)
# Linear light of Display P3 → linear light of sRGB; both have the same white.
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
    """Convert RGB to sRGB if `info` holds a colour profile, or colour numbers (nclx) that mean Display P3.

    An HDR picture keeps its values: it has colours of sRGB only after a choice of how to dim it.
    """
    if profile := info.get("icc_profile"):
        transform = _profile_transform("RGB", profile)
        return (transform and ImageCms.applyTransform(rgb, transform)) or rgb
    numbers = info.get("nclx_profile") or {}
    if numbers.get("color_primaries") != _P3_PRIMARIES or numbers.get("transfer_characteristics") in _HDR_CURVES:
        return rgb
    values = np.arange(256, dtype=np.float32) / 255
    light = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)[np.asarray(rgb)]
    light = (light @ _P3_TO_SRGB.T).clip(0, 1)
    values = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    return Image.fromarray((values * 255).round().astype(np.uint8))


def _conversion(image: Image.Image) -> Conversion:
    """Return the conversion to RGB for a picture and for each band of it; it is chosen from the whole picture."""
    if image.mode.startswith("I;16"):
        return _from_16_bits
    if image.mode in ("I", "F"):
        return _from_numbers_up_to(_white_of(image))
    if image.mode in ("CMYK", "LAB") and (transform := _profile_transform(image.mode, image.info.get("icc_profile"))):
        return lambda part: ImageCms.applyTransform(part, transform) or part
    if image.mode in ("RGBA", "LA", "PA", "RGBa") or "transparency" in image.info:
        return _on_white
    # convert() would copy a picture that is RGB already.
    return (lambda part: part) if image.mode == "RGB" else (lambda part: part.convert("RGB"))


def _from_16_bits(image: Image.Image) -> Image.Image:
    values = np.asarray(image)
    # The upper byte, as Pillow does for 16-bit RGB.
    grey = (values >> 8).astype(np.uint8)
    if "transparency" in image.info:
        grey[values == image.info["transparency"]] = 255
    return Image.fromarray(grey).convert("RGB")


def _white_of(image: Image.Image) -> float:
    """Return the value of white: 32-bit and float pictures do not state it, so their largest value decides."""
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
    """Return the transform from a picture's profile to sRGB; None if no readable profile fits its mode."""
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
