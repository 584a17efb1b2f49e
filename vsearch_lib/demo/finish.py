"""Palette, pattern and material: they cover the silhouette of a product."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from vsearch_lib.demo.noise import smooth_noise
from vsearch_lib.demo.sketch import SIDE

#: Base, second and accent colour of each palette, as RGB.
COLOURS = {
    "ocean": ((30, 78, 128), (160, 214, 235), (246, 240, 226)),
    "terracotta": ((201, 92, 58), (246, 221, 194), (96, 42, 32)),
    "forest": ((43, 94, 62), (192, 217, 150), (240, 198, 84)),
    "mustard": ((228, 168, 30), (255, 245, 218), (84, 66, 52)),
    "blush": ((240, 168, 178), (255, 243, 240), (186, 64, 94)),
    "plum": ((98, 42, 104), (219, 176, 226), (244, 206, 100)),
    "charcoal": ((46, 48, 54), (240, 240, 236), (150, 153, 160)),
    "mint": ((132, 214, 190), (252, 254, 248), (32, 108, 116)),
}

#: The values of a pattern map: indices of the palette's colours, and MIXED for the half-way colour of woven checks.
BASE, SECOND, ACCENT, MIXED = range(4)


def _stripes(x: npt.NDArray[np.int64], y: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    phase = y % 64
    return np.where(phase < 28, SECOND, np.where((phase >= 42) & (phase < 50), ACCENT, BASE))


def _dots(x: npt.NDArray[np.int64], y: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    # Every other row is shifted by half a step; every third dot is in the accent colour.
    row = y // 32
    column = (x + 32 * (row % 2)) // 64
    dx, dy = (x + 32 * (row % 2)) % 64 - 32, y % 32 - 16
    inside = dx**2 + dy**2 < 13.5**2
    return np.where(inside, np.where((row + column) % 3 == 0, ACCENT, SECOND), BASE)


def _checks(x: npt.NDArray[np.int64], y: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    across, down = x % 64 < 32, y % 64 < 32
    return np.where(across & down, SECOND, np.where(across ^ down, MIXED, BASE))


def _zigzag(x: npt.NDArray[np.int64], y: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    phase = (y + np.abs(x % 64 - 32)) % 96
    return np.where(phase < 32, SECOND, np.where((phase >= 48) & (phase < 64), ACCENT, BASE))


def _floral(x: npt.NDArray[np.int64], y: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    row = y // 64
    dx, dy = (x + 48 * (row % 2)) % 96 - 48, y % 64 - 32
    radius, angle = np.hypot(dx, dy), np.arctan2(dy, dx)
    petals = radius < 17 + 11 * np.cos(5 * angle)
    leaves = (radius < 42) & (radius > 20) & (np.abs(np.abs(dx) - np.abs(dy) * 0.55 - 21) < 6)
    return np.where(radius < 8, ACCENT, np.where(petals, SECOND, np.where(leaves, MIXED, BASE)))


_PATTERNS = {"stripes": _stripes, "dots": _dots, "checks": _checks, "zigzag": _zigzag, "floral": _floral}


@lru_cache(maxsize=len(_PATTERNS) + 1)
def pattern_map(pattern: str) -> npt.NDArray[np.uint8]:
    """Colour index of every pixel of a pattern, (SIDE, SIDE); it tiles without a seam in both directions."""
    if pattern == "plain":
        return np.zeros((SIDE, SIDE), dtype=np.uint8)
    y, x = np.mgrid[0:SIDE, 0:SIDE]
    return _PATTERNS[pattern](x, y).astype(np.uint8)


@dataclass(frozen=True)
class Surface:
    """How a material reflects the light.

    relief: brightness factor of each pixel, (SIDE, SIDE). shine: strength of the highlight, 0 to 1.
    sharpness: exponent of the highlight. tint: the colour that is mixed into the dyes, and its share, 0 to 1.
    """

    relief: npt.NDArray[np.float32]
    shine: float
    sharpness: float
    tint: tuple[tuple[int, int, int], float] = ((0, 0, 0), 0.0)


def _knit_relief() -> npt.NDArray[np.float32]:
    # Columns of V-shaped stitches: lines lean one way in the left half of a column, the other way in the right half.
    y, x = np.mgrid[0:SIDE, 0:SIDE]
    within = x % 24
    lean = np.where(within < 12, within, 24 - within)
    stitch = 0.5 + 0.5 * np.cos(2 * np.pi * (y - 0.9 * lean) / 16)
    groove = np.minimum(1.0, np.minimum(within, 24 - within) / 4)
    return np.asarray(0.58 + 0.30 * stitch + 0.22 * groove, dtype=np.float32)


def _wood_relief() -> npt.NDArray[np.float32]:
    rng = np.random.default_rng(11)
    figure = smooth_noise(rng, SIDE, SIDE, cells=(3, 6))
    rings = 0.5 + 0.5 * np.sin(2 * np.pi * (14 * figure + np.arange(SIDE, dtype=np.float32)[None, :] / 48))
    fibres = smooth_noise(rng, SIDE, SIDE, cells=(5, 150))
    return np.asarray(0.70 + 0.30 * rings**0.7 + 0.28 * (fibres - 0.5), dtype=np.float32)


@lru_cache(maxsize=4)
def surface(material: str) -> Surface:
    """The surface of a material; cached, so treat its arrays as read-only. Raises KeyError for an unknown one."""
    even = np.ones((SIDE, SIDE), dtype=np.float32)
    if material == "knit":
        return Surface(_knit_relief(), shine=0.0, sharpness=1.0)
    if material == "woodgrain":
        return Surface(_wood_relief(), shine=0.10, sharpness=6.0, tint=((150, 96, 48), 0.22))
    return {"matte": Surface(even, shine=0.0, sharpness=1.0), "glossy": Surface(even, shine=0.95, sharpness=22.0)}[
        material
    ]
