"""Cheap random textures and colours."""

from __future__ import annotations

import colorsys

import numpy as np
import numpy.typing as npt
from PIL import Image

Colour = tuple[int, int, int]


def smooth_noise(
    rng: np.random.Generator, height: int, width: int, *, cells: tuple[int, int]
) -> npt.NDArray[np.float32]:
    """Smooth noise of shape (height, width) in 0..1 with about `cells` (down, across) bumps."""
    grid = Image.fromarray(rng.integers(0, 256, size=cells, dtype=np.uint8))
    return np.asarray(grid.resize((width, height), Image.Resampling.BICUBIC), dtype=np.float32) / 255


def random_colour(rng: np.random.Generator, *, saturation: tuple[float, float], value: tuple[float, float]) -> Colour:
    """A colour of any hue with saturation and value from about the given ranges, each within 0..1."""
    bright = rng.uniform(*value)
    # Bright and saturated colours are neon colours, which walls and tables seldom have.
    red, green, blue = colorsys.hsv_to_rgb(rng.uniform(), rng.uniform(*saturation) * (1.15 - 0.45 * bright), bright)
    return round(255 * red), round(255 * green), round(255 * blue)


def scaled(colour: Colour, factor: float) -> Colour:
    """The colour, darker (factor below 1) or lighter, clipped to 0..255."""
    red, green, blue = (min(255, max(0, round(channel * factor))) for channel in colour)
    return red, green, blue


def mixed(a: Colour, b: Colour, share: float) -> Colour:
    """The colour `share` of the way from a to b."""
    red, green, blue = (round(p + (q - p) * share) for p, q in zip(a, b, strict=True))
    return red, green, blue
