"""Pictures on a page: small copies, groups of pictures, and a map of pictures."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from PIL import Image

THUMBNAIL_SIDE = 150  # pixels
CELL = 50  # px of a map, for one picture
COLUMNS, ROWS = 20, 13  # cells of a map
_SIDE_ON_MAP = 72  # pixels, for screens with more than one pixel a px


@dataclass(frozen=True)
class Picture:
    """An image and what is said below it; `jpeg` is None if it cannot be shown."""

    image_id: str
    jpeg: bytes | None
    caption: str


@dataclass(frozen=True)
class Gallery:
    """Groups of pictures, each with a line above it that may be empty."""

    template: ClassVar[str] = "groups.html.j2"

    title: str
    note: str
    groups: Sequence[tuple[str, Sequence[Picture]]]


@dataclass(frozen=True)
class Spot:
    """A place on a map, px from the left and the top; a dot, or the picture whose cell it is the centre of."""

    x: float
    y: float
    image_id: str
    jpeg: bytes | None


@dataclass(frozen=True)
class PictureMap:
    """Pictures where they lie in a plane, so that what is alike is near."""

    template: ClassVar[str] = "map.html.j2"

    title: str
    note: str
    spots: Sequence[Spot]


def spots_of(pictures: Sequence[Picture], places: Sequence[tuple[float, float]]) -> list[Spot]:
    """Return the spots of pictures whose places have any scale; the first place axis goes right, the second up.

    The first picture of a cell is shown; others of that cell become dots, so that no picture covers another.
    """
    across = _scaled([x for x, _ in places], COLUMNS * CELL)
    down = _scaled([-y for _, y in places], ROWS * CELL)
    taken: set[tuple[int, int]] = set()
    shown, dots = [], []
    for picture, x, y in zip(pictures, across, down, strict=True):
        cell = int(x // CELL), int(y // CELL)
        if picture.jpeg is None or cell in taken:
            dots.append(Spot(x, y, picture.image_id, None))
        else:
            taken.add(cell)
            centre = (cell[0] + 0.5) * CELL, (cell[1] + 0.5) * CELL
            shown.append(Spot(*centre, picture.image_id, picture.jpeg))
    return shown + dots  # dots lie above the pictures


def thumbnail(jpeg: bytes, side: int = THUMBNAIL_SIDE) -> str:
    """Return a data URI of the picture, its longer side at most `side` pixels."""
    image = Image.open(io.BytesIO(jpeg))
    image.thumbnail((side, side))
    content = io.BytesIO()
    image.convert("RGB").save(content, "JPEG", quality=80)
    return "data:image/jpeg;base64," + base64.b64encode(content.getvalue()).decode()


def map_thumbnail(jpeg: bytes) -> str:
    """Return a data URI of the picture in the size of a map."""
    return thumbnail(jpeg, _SIDE_ON_MAP)


def _scaled(values: Sequence[float], length: float) -> list[float]:
    """Return the values moved and scaled so that they lie within 0 and `length`, neither of them reached by cells."""
    low, high = min(values, default=0.0), max(values, default=0.0)
    span = (high - low) or 1.0
    return [round((length - 1) * (value - low) / span, 1) for value in values]
