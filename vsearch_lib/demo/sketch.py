"""A square drawing of labelled parts in unit coordinates: (0, 0) is the top left corner, (1, 1) the bottom right."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import IntEnum

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

Point = tuple[float, float]

#: Side of a product drawing in pixels, about twice what a picture shows, so that shrinking it smooths the edges.
SIDE = 384


class Part(IntEnum):
    """What a pixel of a product drawing belongs to."""

    NOTHING = 0
    BODY = 1  # carries the pattern
    TRIM = 2  # handles, bands, legs: the palette's accent
    INSIDE = 3  # the inside of openings
    SEAM = 4  # edges between two pieces of the body
    SECOND = 5  # soles, cushions' piping: the palette's second colour


def smooth(points: Sequence[Point], *, closed: bool = True, steps: int = 10) -> list[Point]:
    """Run a Catmull-Rom curve through the points, with `steps` samples between neighbours."""
    p = np.asarray(points, dtype=np.float64)
    padded = np.vstack([p[-1:], p, p[:2]]) if closed else np.vstack([p[:1], p, p[-1:]])
    t = np.linspace(0, 1, steps, endpoint=False)[None, :, None]
    a, b, c, d = (padded[i : len(padded) - 3 + i, None, :] for i in range(4))
    curve = 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
    return [(float(x), float(y)) for x, y in curve.reshape(-1, 2)] + ([] if closed else [(p[-1, 0], p[-1, 1])])


def turned(profile: Sequence[Point], *, centre: float = 0.5) -> list[Point]:
    """Outline of a rotationally symmetric thing; the profile is (radius, y) from the top down."""
    right = [(centre + radius, y) for radius, y in smooth(profile, closed=False)]
    return right + [(2 * centre - x, y) for x, y in reversed(right)]


class Sketch:
    """Paints labelled parts over one another; later parts hide earlier ones."""

    def __init__(self) -> None:
        self._image = Image.new("L", (SIDE, SIDE), Part.NOTHING)
        self._draw = ImageDraw.Draw(self._image)

    def fill(self, outline: Iterable[Point], part: Part) -> None:
        """Fill a polygon."""
        self._draw.polygon([(x * SIDE, y * SIDE) for x, y in outline], fill=int(part))

    def stroke(self, line: Sequence[Point], width: float, part: Part) -> None:
        """Draw a line with round ends; `width` as a share of the side."""
        points = [(x * SIDE, y * SIDE) for x, y in line]
        self._draw.line(points, fill=int(part), width=round(width * SIDE), joint="curve")
        radius = width * SIDE / 2
        for x, y in (points[0], points[-1]):
            self._draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=int(part))

    def ellipse(self, centre: Point, radii: Point, part: Part) -> None:
        """Fill an upright ellipse."""
        (x, y), (rx, ry) = centre, radii
        self._draw.ellipse(tuple(SIDE * v for v in (x - rx, y - ry, x + rx, y + ry)), fill=int(part))

    def box(self, left: float, top: float, right: float, bottom: float, part: Part, *, radius: float = 0.0) -> None:
        """Fill an upright rectangle with rounded corners."""
        corners = tuple(SIDE * v for v in (left, top, right, bottom))
        self._draw.rounded_rectangle(corners, radius=radius * SIDE, fill=int(part))

    def labels(self) -> npt.NDArray[np.uint8]:
        """The Part of every pixel, shape (SIDE, SIDE)."""
        return np.asarray(self._image, dtype=np.uint8)
