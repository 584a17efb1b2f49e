"""The designs that a demo catalogue sells, and how popular each is."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from vsearch_lib.demo.factors import SHAPES, VALUES

#: Pictures of an average design; the popularity of designs is skewed.
PICTURES_PER_DESIGN = 12
_MIN_DESIGNS, _MAX_DESIGNS = 20, 1500
_SIBLING_SHARE = 0.6


def design_pool(rng: np.random.Generator, *, images: int) -> npt.NDArray[np.int8]:
    """Choose distinct designs, a row of factor codes each: shape (designs, 4), one for PICTURES_PER_DESIGN images.

    Every shape occurs. Most of the other designs are siblings of an earlier one, with one factor changed, so that
    every grade between "the same" and "unrelated" has pictures.
    """
    size = min(_MAX_DESIGNS, max(_MIN_DESIGNS, round(images / PICTURES_PER_DESIGN)))
    sizes = [len(values) for values in VALUES]
    designs = [(shape, *(int(rng.integers(count)) for count in sizes[1:])) for shape in range(len(SHAPES))]
    seen = set(designs)
    while len(designs) < size:
        codes = [int(rng.integers(count)) for count in sizes]
        if rng.random() < _SIBLING_SHARE:
            changed = int(rng.integers(len(sizes)))
            codes = [
                new if i == changed else old
                for i, (old, new) in enumerate(zip(designs[rng.integers(len(designs))], codes, strict=True))
            ]
        design = tuple(codes)
        if design not in seen:
            seen.add(design)
            designs.append(design)
    return np.array(designs, dtype=np.int8)


def assign_designs(rng: np.random.Generator, *, designs: int, images: int) -> npt.NDArray[np.int64]:
    """Choose the design of every image, shape (images,): popularity falls as a power of a random rank."""
    popularity = (rng.permutation(designs) + 4.0) ** -0.8
    return rng.choice(designs, size=images, p=popularity / popularity.sum())
