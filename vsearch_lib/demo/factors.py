"""What makes two demo products alike: four latent factors, and the exact grade of a pair that follows from them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

SHAPES = ("mug", "vase", "t-shirt", "handbag", "armchair", "lamp", "sneaker", "bottle", "teapot", "hat")
PATTERNS = ("plain", "stripes", "dots", "checks", "zigzag", "floral")
PALETTES = ("ocean", "terracotta", "forest", "mustard", "blush", "plum", "charcoal", "mint")
MATERIALS = ("matte", "glossy", "knit", "woodgrain")

#: Values of each factor, in the column order of a code array.
VALUES = (SHAPES, PATTERNS, PALETTES, MATERIALS)

TOP_GRADE = 5


@dataclass(frozen=True)
class Factors:
    """The four properties of a product that a searcher cares about; everything else in a picture is nuisance."""

    shape: str
    pattern: str
    palette: str
    material: str


def from_codes(codes: npt.NDArray[np.int8]) -> Factors:
    """Return the factors of one code row, shape (4,); each code is an index into the matching entry of VALUES."""
    shape, pattern, palette, material = (values[int(code)] for values, code in zip(VALUES, codes, strict=True))
    return Factors(shape, pattern, palette, material)


def grade(a: Factors, b: Factors) -> int:
    """Return how relevant `b` is to a user who searches with `a`, from 0 (not at all) to 5 (the same design).

    The same shape gives 2, plus one for each of pattern, palette and material in common. Another shape gives one less
    than the number of those in common, at least 0: a single shared property is a coincidence.
    """
    shared = (a.pattern == b.pattern) + (a.palette == b.palette) + (a.material == b.material)
    return 2 + shared if a.shape == b.shape else max(0, shared - 1)


def grade_matrix(queries: npt.NDArray[np.int8], images: npt.NDArray[np.int8]) -> npt.NDArray[np.int8]:
    """Return the grade of every image for every query: from codes of shape (q, 4) and (n, 4), grades (q, n)."""
    equal = queries[:, None, :] == images[None, :, :]
    shared = equal[:, :, 1:].sum(axis=2, dtype=np.int8)
    return np.where(equal[:, :, 0], shared + 2, np.maximum(shared - 1, 0)).astype(np.int8)
