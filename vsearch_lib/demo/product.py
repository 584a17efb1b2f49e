"""A product without its surroundings: silhouette, pattern, palette and material, shaded by the light."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from vsearch_lib.demo.factors import Factors
from vsearch_lib.demo.finish import COLOURS, Surface, pattern_map, surface
from vsearch_lib.demo.light import Light
from vsearch_lib.demo.noise import Colour, mixed, scaled
from vsearch_lib.demo.silhouettes import SAG, silhouette
from vsearch_lib.demo.sketch import SIDE, Part

#: Shading is smooth, so it is computed on a grid this many times coarser than the drawing.
_COARSE = 3

Field = npt.NDArray[np.float32]


@lru_cache(maxsize=16)
def _slopes(shape: str) -> tuple[Field, Field]:
    """Slope of the product's surface to the right and down, each (SIDE / 3, SIDE / 3), as if it were a cushion."""
    labels = silhouette(shape)

    def cushion(mask: npt.NDArray[np.bool_], radius: float) -> Field:
        small = Image.fromarray(mask.astype(np.uint8) * 255).reduce(_COARSE)
        blurred = np.asarray(small.filter(ImageFilter.GaussianBlur(radius)), dtype=np.float32) / 255
        return np.clip(2 * blurred - 1, 0, 1) ** 0.6

    # The whole product bulges, and each part a little more, which lifts handles and bands off the body.
    height = 18 * cushion(labels > 0, 12)
    for part in (Part.BODY, Part.TRIM, Part.SECOND):
        height += 3.0 * cushion(labels == part, 2.5)
    down, right = np.gradient(height)
    return right, down


def _spread(values: Field) -> Field:
    """Enlarge a coarse field to (SIDE, SIDE)."""
    return np.asarray(Image.fromarray(values).resize((SIDE, SIDE), Image.Resampling.BILINEAR))


def _shading(shape: str, light: Light, finish: Surface) -> tuple[Field, Field | None]:
    """Diffuse factor and, for shiny materials, highlight of every pixel, each (SIDE, SIDE)."""
    right, down = _slopes(shape)
    length = np.sqrt(right * right + down * down + 1)
    facing = (-right * light.x - down * light.y + 1.1) / (length * 1.487)
    diffuse = _spread(np.clip(0.44 + 0.74 * facing, 0, 1.25).astype(np.float32))
    if finish.shine == 0:
        return diffuse, None
    # Half-way vector between the light and the viewer, who looks straight at the picture.
    half = np.array([0.42 * light.x, 0.42 * light.y, 0.91])
    mirror = np.clip((-right * half[0] - down * half[1] + half[2]) / length, 0, 1)
    return diffuse, _spread((finish.shine * mirror**finish.sharpness).astype(np.float32))


def _colour_table(palette: str, tint: tuple[Colour, float]) -> Field:
    """RGB of every (part, pattern index) pair, shape (6 * 4, 3)."""
    base, second, accent = (mixed(colour, *tint) for colour in COLOURS[palette])
    uniform = {
        Part.TRIM: accent,
        Part.INSIDE: scaled(base, 0.38),
        Part.SEAM: scaled(base, 0.62),
        Part.SECOND: second,
    }
    rows = []
    for part in Part:
        patterned = part is Part.BODY
        rows += [base, second, accent, mixed(base, second, 0.5)] if patterned else [uniform.get(part, base)] * 4
    return np.array(rows, dtype=np.float32)


@lru_cache(maxsize=16)
def _rows_after_sag(shape: str) -> npt.NDArray[np.intp]:
    """Row of the pattern that each pixel shows on a shape whose pattern sags in the middle, (SIDE, SIDE)."""
    across = np.linspace(-1, 1, SIDE)
    sag = np.rint(SAG[shape] * SIDE * np.sqrt(1 - across**2)).astype(np.intp)
    rows: npt.NDArray[np.intp] = (np.arange(SIDE)[:, None] - sag[None, :]) % SIDE
    return rows


def _pattern_on(shape: str, pattern: str, rng: np.random.Generator) -> npt.NDArray[np.uint8]:
    """Pattern index of every pixel, (SIDE, SIDE), sagging with the shape and starting at a random offset."""
    right, down = rng.integers(0, SIDE), rng.integers(0, SIDE)
    moved = np.roll(pattern_map(pattern), (-down, -right), axis=(0, 1))
    return np.take_along_axis(moved, _rows_after_sag(shape), axis=0) if shape in SAG else moved


def render_product(factors: Factors, light: Light, rng: np.random.Generator) -> Image.Image:
    """Draw a product upright on a transparent ground: an RGBA image of SIDE x SIDE pixels."""
    labels, finish = silhouette(factors.shape), surface(factors.material)
    codes = labels * np.uint8(4) + _pattern_on(factors.shape, factors.pattern, rng)
    diffuse, highlight = _shading(factors.shape, light, finish)
    gain = diffuse * finish.relief
    bands = []
    # Channel by channel: as one array of three channels it takes nearly twice as long.
    for table in _colour_table(factors.palette, finish.tint).T:
        colour = table.take(codes)
        colour *= gain
        if highlight is not None:
            colour += 215 * highlight
        bands.append(Image.fromarray(np.minimum(colour, 255).astype(np.uint8)))
    visible = Image.fromarray((labels > 0) * np.uint8(255))
    return Image.merge("RGBA", [*bands, visible])
