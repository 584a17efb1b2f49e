"""The light in which a picture is taken."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from vsearch_lib.demo.noise import smooth_noise


@dataclass(frozen=True)
class Light:
    """One soft lamp or window.

    x, y: unit vector towards the light in the picture's plane (y points down, so light from above has y below 0).
    strength: brightness of the whole picture, 1 is normal. contrast: how much brighter the near side is, 0 to 1.
    warmth: above 0 is candle-like, below 0 is overcast. softness: blur of the shadows as a share of the product's side.
    blinds: whether the light falls through a slatted window.
    """

    x: float
    y: float
    strength: float
    contrast: float
    warmth: float
    softness: float
    blinds: bool


def random_light(rng: np.random.Generator) -> Light:
    """A light from above, from the left or the right."""
    angle = math.radians(rng.uniform(-160, -20))
    return Light(
        x=math.cos(angle),
        y=math.sin(angle),
        strength=rng.uniform(0.90, 1.22),
        contrast=rng.uniform(0.1, 0.75),
        warmth=rng.uniform(-0.08, 0.12),
        softness=rng.uniform(0.015, 0.05),
        blinds=bool(rng.random() < 0.18),
    )


def _falloff(width: int, height: int, light: Light, rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """Brightness factor over the picture, (height, width)."""
    y, x = np.mgrid[-0.5 : 0.5 : height * 1j, -0.5 : 0.5 : width * 1j].astype(np.float32)
    towards = x * light.x + y * light.y
    gain = light.strength * (1 + 0.5 * light.contrast * towards - 0.28 * (x * x + y * y))
    if light.blinds:
        across = (x * -light.y + y * light.x) + 0.25 * towards
        gain *= 0.86 + 0.22 * np.clip(2.5 * np.sin(2 * np.pi * across * rng.uniform(3, 6)), -1, 1)
    else:
        # Leaves and furniture outside the frame throw large faint shadows.
        gain *= 0.90 + 0.2 * smooth_noise(rng, height, width, cells=(3, 3))
    return np.asarray(gain, dtype=np.float32)


def lit(picture: Image.Image, light: Light, rng: np.random.Generator) -> Image.Image:
    """The RGB picture under the light: falloff, colour temperature, and a small drift of each channel."""
    # A quarter of the resolution is enough for such a smooth field.
    width, height = picture.width // 4, picture.height // 4
    gain = _falloff(width, height, light, rng)
    warmth = np.array([light.warmth, 0.15 * light.warmth, -light.warmth])
    colour = 1 + warmth + rng.normal(0, 0.025, size=3)
    # 128 means "unchanged", so that a byte can hold nearly twice the brightness.
    bytes_ = np.clip(gain[:, :, None] * colour * 128, 0, 255).astype(np.uint8)
    gains = np.asarray(Image.fromarray(bytes_).resize(picture.size, Image.Resampling.BICUBIC), dtype=np.uint16)
    product = np.asarray(picture, dtype=np.uint16) * gains >> 7
    return Image.fromarray(np.minimum(product, 255).astype(np.uint8))
