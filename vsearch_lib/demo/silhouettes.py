"""The product shapes, drawn as labelled parts."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from vsearch_lib.demo.sketch import Part, Sketch, smooth, turned


def _mug(s: Sketch) -> None:
    s.stroke(
        smooth([(0.66, 0.34), (0.84, 0.32), (0.93, 0.47), (0.86, 0.63), (0.64, 0.72)], closed=False), 0.07, Part.TRIM
    )
    s.fill(
        turned([(0.30, 0.20), (0.30, 0.48), (0.297, 0.74), (0.27, 0.85), (0.21, 0.895), (0.12, 0.91)], centre=0.38),
        Part.BODY,
    )
    s.ellipse((0.38, 0.20), (0.30, 0.075), Part.TRIM)
    s.ellipse((0.38, 0.20), (0.265, 0.055), Part.INSIDE)


def _vase(s: Sketch) -> None:
    profile = [(0.15, 0.06), (0.09, 0.16), (0.10, 0.24), (0.27, 0.44), (0.30, 0.58), (0.22, 0.80), (0.15, 0.94)]
    s.fill(turned(profile), Part.BODY)
    s.fill(turned([(0.102, 0.22), (0.125, 0.265)]), Part.TRIM)
    s.fill(turned([(0.165, 0.90), (0.15, 0.955)]), Part.TRIM)
    s.ellipse((0.5, 0.065), (0.155, 0.04), Part.TRIM)
    s.ellipse((0.5, 0.065), (0.125, 0.026), Part.INSIDE)


def _t_shirt(s: Sketch) -> None:
    right = [(0.60, 0.10), (0.70, 0.14), (0.97, 0.36), (0.86, 0.51), (0.73, 0.42), (0.72, 0.60), (0.735, 0.94)]
    outline = [(0.40, 0.10), (0.5, 0.145), *right, *((1 - x, y) for x, y in reversed(right))]
    s.fill(outline, Part.BODY)
    for x, y in ((0.97, 0.36), (0.86, 0.51)), ((0.03, 0.36), (0.14, 0.51)):
        s.stroke([x, y], 0.03, Part.TRIM)
    s.stroke([(0.275, 0.93), (0.725, 0.93)], 0.022, Part.TRIM)
    s.fill(smooth([(0.385, 0.09), (0.5, 0.12), (0.615, 0.09), (0.57, 0.20), (0.5, 0.225), (0.43, 0.20)]), Part.TRIM)
    s.fill(smooth([(0.42, 0.095), (0.5, 0.11), (0.58, 0.095), (0.55, 0.165), (0.5, 0.185), (0.45, 0.165)]), Part.INSIDE)
    for side in (-1, 1):
        s.stroke([(0.5 + side * 0.235, 0.42), (0.5 + side * 0.215, 0.22)], 0.008, Part.SEAM)


def _handbag(s: Sketch) -> None:
    handle = [(0.29, 0.46), (0.31, 0.22), (0.5, 0.09), (0.69, 0.22), (0.71, 0.46)]
    s.stroke(smooth(handle, closed=False), 0.05, Part.TRIM)
    outline = [
        (0.17, 0.40),
        (0.5, 0.385),
        (0.83, 0.40),
        (0.92, 0.80),
        (0.86, 0.91),
        (0.5, 0.925),
        (0.14, 0.91),
        (0.08, 0.80),
    ]
    s.fill(smooth(outline), Part.BODY)
    s.fill([(0.163, 0.405), (0.837, 0.405), (0.80, 0.53), (0.5, 0.615), (0.20, 0.53)], Part.SEAM)
    s.fill([(0.163, 0.395), (0.837, 0.395), (0.80, 0.515), (0.5, 0.60), (0.20, 0.515)], Part.TRIM)
    s.ellipse((0.5, 0.555), (0.045, 0.045), Part.SECOND)
    s.ellipse((0.5, 0.555), (0.02, 0.02), Part.INSIDE)


def _armchair(s: Sketch) -> None:
    for x in (0.17, 0.83):
        s.stroke([(x, 0.82), (x + (0.02 if x > 0.5 else -0.02), 0.95)], 0.045, Part.TRIM)
    s.box(0.20, 0.08, 0.80, 0.75, Part.BODY, radius=0.16)
    s.box(0.11, 0.70, 0.89, 0.85, Part.BODY, radius=0.03)
    s.box(0.245, 0.535, 0.755, 0.70, Part.SEAM, radius=0.05)
    s.box(0.25, 0.54, 0.75, 0.68, Part.SECOND, radius=0.05)
    for left in (0.06, 0.755):
        s.box(left - 0.008, 0.432, left + 0.193, 0.858, Part.SEAM, radius=0.085)
        s.box(left, 0.44, left + 0.185, 0.85, Part.BODY, radius=0.08)
    for x in (0.40, 0.60):
        s.ellipse((x, 0.30), (0.014, 0.014), Part.SEAM)


def _lamp(s: Sketch) -> None:
    s.stroke([(0.5, 0.45), (0.5, 0.66)], 0.035, Part.TRIM)
    s.fill(turned([(0.05, 0.62), (0.12, 0.69), (0.155, 0.78), (0.12, 0.88), (0.08, 0.92)]), Part.BODY)
    s.ellipse((0.5, 0.925), (0.20, 0.035), Part.TRIM)
    s.ellipse((0.5, 0.49), (0.38, 0.045), Part.INSIDE)
    s.fill(
        [(0.32, 0.08), (0.68, 0.08), (0.88, 0.49), (0.74, 0.525), (0.5, 0.54), (0.26, 0.525), (0.12, 0.49)], Part.BODY
    )
    s.stroke([(0.32, 0.08), (0.68, 0.08)], 0.025, Part.TRIM)
    s.stroke(
        smooth([(0.125, 0.487), (0.26, 0.522), (0.5, 0.537), (0.74, 0.522), (0.875, 0.487)], closed=False),
        0.025,
        Part.TRIM,
    )


def _sneaker(s: Sketch) -> None:
    upper = [
        (0.10, 0.30),
        (0.20, 0.255),
        (0.36, 0.265),
        (0.43, 0.36),
        (0.56, 0.49),
        (0.74, 0.56),
        (0.90, 0.62),
        (0.94, 0.74),
    ]
    s.fill([*smooth(upper, closed=False), (0.92, 0.80), (0.08, 0.80), (0.065, 0.66), (0.10, 0.48)], Part.BODY)
    toe = [(0.77, 0.56), (0.90, 0.615), (0.955, 0.72), (0.93, 0.79), (0.74, 0.79), (0.72, 0.68)]
    s.fill(smooth(toe), Part.TRIM)
    s.fill(smooth([(0.095, 0.30), (0.20, 0.25), (0.37, 0.265), (0.30, 0.315), (0.19, 0.33)]), Part.INSIDE)
    s.fill(smooth([(0.085, 0.31), (0.14, 0.32), (0.16, 0.44), (0.13, 0.56), (0.085, 0.56)]), Part.TRIM)
    for step in range(4):
        x, y = 0.40 + 0.072 * step, 0.355 + 0.062 * step
        s.stroke([(x, y), (x - 0.085, y + 0.075)], 0.024, Part.SECOND)
    s.stroke(smooth([(0.36, 0.44), (0.46, 0.54), (0.60, 0.635), (0.72, 0.68)], closed=False), 0.01, Part.SEAM)
    sole = [
        (0.06, 0.765),
        (0.30, 0.79),
        (0.60, 0.79),
        (0.95, 0.765),
        (0.965, 0.83),
        (0.90, 0.875),
        (0.50, 0.88),
        (0.10, 0.875),
        (0.045, 0.83),
    ]
    s.fill(smooth(sole), Part.SECOND)
    s.stroke([(0.07, 0.845), (0.94, 0.845)], 0.012, Part.INSIDE)


def _bottle(s: Sketch) -> None:
    profile = [
        (0.085, 0.14),
        (0.085, 0.27),
        (0.13, 0.36),
        (0.205, 0.44),
        (0.215, 0.60),
        (0.215, 0.86),
        (0.19, 0.94),
        (0.12, 0.955),
    ]
    s.fill(turned(profile), Part.BODY)
    s.box(0.395, 0.04, 0.605, 0.155, Part.TRIM, radius=0.025)
    s.box(0.405, 0.165, 0.595, 0.195, Part.SECOND, radius=0.01)
    s.fill(turned([(0.21, 0.875), (0.205, 0.905)]), Part.TRIM)


def _teapot(s: Sketch) -> None:
    s.stroke(
        smooth([(0.26, 0.40), (0.10, 0.36), (0.05, 0.52), (0.12, 0.68), (0.28, 0.73)], closed=False), 0.06, Part.TRIM
    )
    spout = [(0.70, 0.52), (0.80, 0.47), (0.87, 0.33), (0.97, 0.30), (0.94, 0.42), (0.89, 0.58), (0.74, 0.75)]
    s.fill(smooth(spout), Part.BODY)
    s.fill(
        turned([(0.14, 0.29), (0.24, 0.36), (0.30, 0.50), (0.29, 0.66), (0.21, 0.80), (0.14, 0.85)], centre=0.49),
        Part.BODY,
    )
    s.ellipse((0.49, 0.855), (0.16, 0.025), Part.TRIM)
    s.fill(turned([(0.02, 0.20), (0.11, 0.245), (0.165, 0.305), (0.15, 0.32)], centre=0.49), Part.SECOND)
    s.stroke(smooth([(0.325, 0.312), (0.49, 0.332), (0.655, 0.312)], closed=False), 0.018, Part.TRIM)
    s.ellipse((0.49, 0.175), (0.04, 0.04), Part.TRIM)


def _hat(s: Sketch) -> None:
    s.fill(
        smooth(
            [
                (0.03, 0.66),
                (0.24, 0.58),
                (0.5, 0.56),
                (0.76, 0.58),
                (0.97, 0.66),
                (0.80, 0.80),
                (0.5, 0.84),
                (0.20, 0.80),
            ]
        ),
        Part.BODY,
    )
    s.fill(smooth([(0.20, 0.69), (0.5, 0.77), (0.80, 0.69), (0.76, 0.60), (0.24, 0.60)]), Part.SEAM)
    crown = [
        (0.23, 0.66),
        (0.245, 0.44),
        (0.31, 0.24),
        (0.42, 0.19),
        (0.5, 0.225),
        (0.58, 0.19),
        (0.69, 0.24),
        (0.755, 0.44),
        (0.77, 0.66),
    ]
    s.fill(smooth(crown, closed=False) + smooth([(0.77, 0.66), (0.5, 0.735), (0.23, 0.66)], closed=False), Part.BODY)
    top, bottom = [(0.237, 0.54), (0.5, 0.61), (0.763, 0.54)], [(0.77, 0.66), (0.5, 0.735), (0.23, 0.66)]
    s.fill(smooth(top, closed=False) + smooth(bottom, closed=False), Part.TRIM)


_DRAWINGS: dict[str, Callable[[Sketch], None]] = {
    "mug": _mug,
    "vase": _vase,
    "t-shirt": _t_shirt,
    "handbag": _handbag,
    "armchair": _armchair,
    "lamp": _lamp,
    "sneaker": _sneaker,
    "bottle": _bottle,
    "teapot": _teapot,
    "hat": _hat,
}

#: How far a pattern sags across the shape, as a share of its side: on a round cross-section it looks curved.
SAG = {"mug": 0.07, "vase": 0.06, "lamp": 0.06, "bottle": 0.05, "teapot": 0.08, "hat": 0.08}


@lru_cache(maxsize=len(_DRAWINGS))
def silhouette(shape: str) -> npt.NDArray[np.uint8]:
    """Part labels of a shape, (SIDE, SIDE); cached, so treat it as read-only.

    Raises KeyError for a shape that is not in factors.SHAPES.
    """
    sketch = Sketch()
    _DRAWINGS[shape](sketch)
    labels = sketch.labels()
    labels.setflags(write=False)
    return labels
