"""Other things in a picture: behind the product, around it, and in front of it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from PIL import Image, ImageDraw

from vsearch_lib.demo.noise import Colour, random_colour, scaled
from vsearch_lib.demo.sketch import Point, smooth


def _vivid(rng: np.random.Generator) -> Colour:
    return random_colour(rng, saturation=(0.1, 0.85), value=(0.25, 1.0))


def _direction(angle: float) -> Point:
    return math.cos(angle), math.sin(angle)


def _offset(origin: Point, along: Point, u: float, v: float = 0.0) -> Point:
    """The point `u` along a direction from the origin and `v` to its right."""
    return origin[0] + u * along[0] - v * along[1], origin[1] + u * along[1] + v * along[0]


@contextmanager
def _drawn_smoothly(picture: Image.Image) -> Iterator[ImageDraw.ImageDraw]:
    """Yield a canvas of twice the picture's scale; at the end it is shrunk onto the picture, with soft edges."""
    overlay = Image.new("RGBA", (picture.width * 2, picture.height * 2))
    yield ImageDraw.Draw(overlay)
    box = overlay.getbbox()
    if box is None:
        return
    left, top, right, bottom = box[0] // 2, box[1] // 2, (box[2] + 1) // 2, (box[3] + 1) // 2
    small = overlay.crop((2 * left, 2 * top, 2 * right, 2 * bottom)).resize(
        (right - left, bottom - top), Image.Resampling.BOX
    )
    picture.paste(small, (left, top), small)


def _leaf_outline(root: Point, angle: float, length: float, width: float) -> list[Point]:
    """Outline in pixels of a leaf that grows from `root` in the direction `angle` (radians)."""
    along = _direction(angle)
    shares = ((0, 0), (0.3, 0.42), (0.6, 0.45), (1, 0), (0.6, -0.45), (0.3, -0.42))
    return smooth([_offset(root, along, u * length, v * width) for u, v in shares], steps=6)


def _twig(draw: ImageDraw.ImageDraw, rng: np.random.Generator, root: Point, angle: float, length: float) -> None:
    """Draw a stem with leaves on both sides, in one hue, mostly green."""
    hue = random_colour(rng, saturation=(0.25, 0.75), value=(0.25, 0.75))
    leaf = (hue[0] // 2, max(hue), hue[2] // 2) if rng.random() < 0.7 else hue
    along = _direction(angle)
    draw.line((root, _offset(root, along, length)), fill=scaled(leaf, 0.6), width=4)
    for step in range(1, 6):
        node = _offset(root, along, length * step / 5)
        for side in (-1, 1):
            outline = _leaf_outline(
                node, angle + side * rng.uniform(0.5, 0.9), length * rng.uniform(0.3, 0.45), length * 0.2
            )
            draw.polygon(outline, fill=scaled(leaf, rng.uniform(0.7, 1.1)))


def _ball(draw: ImageDraw.ImageDraw, centre: Point, radius: float, colour: Colour) -> None:
    # Discs that shrink towards the light make the first disc look like a ball.
    for ring in range(12):
        r, shift = radius * (1 - ring * 0.08), radius * ring * 0.035
        x, y = centre[0] - shift, centre[1] - shift
        draw.ellipse((x - r, y - r, x + r, y + r), fill=scaled(colour, 0.70 + 0.045 * ring))


def stand_props_along(
    draw: ImageDraw.ImageDraw, rng: np.random.Generator, width: int, ground: int, *, size: float
) -> None:
    """Draw books, balls and plants that stand `ground` pixels from the top; `size` is the height limit in pixels."""
    x = rng.uniform(-0.1, 0.3) * width
    while x < width:
        kind, tall, colour = rng.integers(4), size * rng.uniform(0.4, 1.0), _vivid(rng)
        if kind == 0:
            for _ in range(rng.integers(2, 6)):
                thick = tall * rng.uniform(0.12, 0.25)
                draw.rectangle((x, ground - tall * rng.uniform(0.8, 1), x + thick, ground), fill=_vivid(rng))
                x += thick + 1
        elif kind == 1:
            _ball(draw, (x + tall * 0.3, ground - tall * 0.3), tall * 0.3, colour)
        elif kind == 2:
            for angle in (-2.2, -1.57, -0.9):
                _twig(draw, rng, (x + tall * 0.2, ground - tall * 0.3), angle, tall * 0.6)
            draw.rectangle((x, ground - tall * 0.35, x + tall * 0.4, ground), fill=colour)
        else:
            draw.rectangle((x, ground - tall * 0.5, x + tall * 0.8, ground), fill=colour)
        x += tall * 0.7 + rng.uniform(0.05, 0.4) * width


def strew_props(picture: Image.Image, rng: np.random.Generator) -> None:
    """Draw up to three papers, pencils, twigs and balls near the edges of a table that is seen from above."""
    width, height = picture.width * 2, picture.height * 2
    with _drawn_smoothly(picture) as draw:
        for _ in range(rng.integers(0, 4)):
            angle = rng.uniform(0, 2 * math.pi)
            centre = (width * (0.5 + 0.5 * math.cos(angle)), height * (0.5 + 0.5 * math.sin(angle)))
            reach, along, kind = width * rng.uniform(0.12, 0.3), _direction(rng.uniform(0, math.pi)), rng.integers(4)
            if kind == 0:
                corners = [
                    _offset(centre, along, u * reach, v * reach)
                    for u, v in ((-1, -0.7), (1, -0.7), (1, 0.7), (-1, 0.7))
                ]
                draw.polygon(corners, fill=random_colour(rng, saturation=(0.0, 0.5), value=(0.5, 1.0)))
            elif kind == 1:
                ends = (_offset(centre, along, -reach), _offset(centre, along, reach))
                draw.line(ends, fill=_vivid(rng), width=int(rng.integers(9, 18)))
            elif kind == 2:
                _twig(draw, rng, centre, angle + math.pi + rng.uniform(-0.6, 0.6), reach * 1.3)
            else:
                _ball(draw, centre, reach / 2, _vivid(rng))


def occlude(picture: Image.Image, rng: np.random.Generator, *, centre: Point, radius: float) -> None:
    """Hide an edge of the product at `centre` behind a twig, a ribbon or a ball; both in pixels."""
    middle, reach = (centre[0] * 2, centre[1] * 2), radius * 2
    angle = rng.uniform(0, 2 * math.pi)
    outwards = _direction(angle)
    with _drawn_smoothly(picture) as draw:
        kind = rng.integers(3)
        if kind == 0:
            root = _offset(middle, outwards, 1.35 * reach)
            _twig(draw, rng, root, angle + math.pi + rng.uniform(-0.35, 0.35), reach * rng.uniform(0.75, 1.0))
        elif kind == 1:
            near, colour = rng.uniform(0.5, 0.7) * reach, _vivid(rng)
            bend = [
                _offset(middle, outwards, near + lift * reach, side * reach)
                for lift, side in ((0, -3), (0.3, 0), (0, 3))
            ]
            ribbon = smooth(bend, closed=False, steps=20)
            draw.line(ribbon, fill=scaled(colour, 0.75), width=int(reach * 0.17), joint="curve")
            draw.line(ribbon, fill=colour, width=int(reach * 0.12), joint="curve")
        else:
            size = reach * rng.uniform(0.3, 0.45)
            _ball(draw, _offset(middle, outwards, 0.75 * reach + 0.5 * size), size, _vivid(rng))
