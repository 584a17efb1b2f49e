"""Surfaces from which scenes are built: gradients, planks, blurred lights."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from vsearch_lib.demo.noise import Colour, random_colour, scaled, smooth_noise


def brightened(picture: Image.Image, texture: npt.NDArray[np.float32], depth: float) -> Image.Image:
    """Multiply an RGB picture by a texture of the same size in 0..1: `depth` is the range of the factor around 1."""
    # Fixed-point numbers with 8 fractional bits: twice as fast as floats, and the picture is bytes anyway.
    factor = ((1 + depth * (texture - 0.5)) * 256).astype(np.uint16)
    pixels = np.asarray(picture, dtype=np.uint32) * factor[:, :, None] >> 8
    return Image.fromarray(np.minimum(pixels, 255).astype(np.uint8))


def gradient(width: int, height: int, first: Colour, second: Colour) -> Image.Image:
    """A vertical gradient from the first colour (top) to the second."""
    share = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    column = np.asarray(first, np.float32) * (1 - share) + np.asarray(second, np.float32) * share
    return Image.fromarray(column.astype(np.uint8)).resize((width, height), Image.Resampling.NEAREST)


def planks(rng: np.random.Generator, width: int, height: int, *, rows: int) -> Image.Image:
    """Bare or painted wood in `rows` horizontal boards."""
    if rng.random() < 0.65:
        value = rng.uniform(0.3, 0.95)
        base: Colour = (
            round(255 * value),
            round(255 * value * rng.uniform(0.62, 0.84)),
            round(255 * value * rng.uniform(0.35, 0.66)),
        )
    else:
        base = random_colour(rng, saturation=(0.05, 0.6), value=(0.3, 0.97))
    picture = Image.new("RGB", (width, height), base)
    draw = ImageDraw.Draw(picture)
    for row in range(rows):
        top, bottom = row * height // rows, (row + 1) * height // rows
        draw.rectangle((0, top, width, bottom), fill=scaled(base, rng.uniform(0.86, 1.1)))
        draw.line((0, top, width, top), fill=scaled(base, 0.5), width=2)
    grain = smooth_noise(rng, height, width, cells=(max(4, height // 5), 4))
    return brightened(picture, grain, rng.uniform(0.15, 0.4))


def blobs(
    picture: Image.Image,
    rng: np.random.Generator,
    *,
    count: int,
    radius: tuple[float, float],
    saturation: tuple[float, float],
    value: tuple[float, float],
    opacity: int,
) -> None:
    """Draw out-of-focus lights onto an RGB picture: radii as shares of its width, opacity 0..255."""
    draw = ImageDraw.Draw(picture, "RGBA")
    for _ in range(count):
        x, y = rng.uniform(0, picture.width), rng.uniform(0, picture.height)
        r = rng.uniform(*radius) * picture.width
        draw.ellipse(
            (x - r, y - r, x + r, y + r), fill=(*random_colour(rng, saturation=saturation, value=value), opacity)
        )
