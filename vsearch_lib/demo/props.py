"""Things that happen to be in the picture too: behind the product, around it, and in front of it."""

from __future__ import annotations

import math

import numpy as np
from PIL import Image, ImageDraw

from vsearch_lib.demo.noise import Colour, random_colour, scaled
from vsearch_lib.demo.sketch import Point, smooth


def _vivid(rng: np.random.Generator) -> Colour:
    return random_colour(rng, saturation=(0.1, 0.85), value=(0.25, 1.0))


def _leaf_outline(root: Point, angle: float, length: float, width: float) -> list[Point]:
    """Outline in pixels of a leaf that grows from `root` in the direction `angle` (radians)."""
    along, across = (math.cos(angle), math.sin(angle)), (-math.sin(angle), math.cos(angle))
    shares = ((0, 0), (0.3, 0.42), (0.6, 0.45), (1, 0), (0.6, -0.45), (0.3, -0.42))
    points = [(root[0] + u * length * along[0] + v * width * across[0], root[1] + u * length * along[1] + v * width * across[1]) for u, v in shares]
    return smooth(points, steps=6)


def _twig(draw: ImageDraw.ImageDraw, rng: np.random.Generator, root: Point, angle: float, length: float) -> None:
    """A stem with leaves on both sides, all one hue."""
    hue = random_colour(rng, saturation=(0.25, 0.75), value=(0.25, 0.75))
    green = scaled((hue[0] // 2, max(hue), hue[2] // 2), 0.9) if rng.random() < 0.7 else hue
    tip = (root[0] + length * math.cos(angle), root[1] + length * math.sin(angle))
    draw.line((root, tip), fill=scaled(green, 0.6), width=3)
    for step in range(1, 6):
        share = step / 5
        at = (root[0] + (tip[0] - root[0]) * share, root[1] + (tip[1] - root[1]) * share)
        for side in (-1, 1):
            lean = angle + side * rng.uniform(0.5, 0.9)
            outline = _leaf_outline(at, lean, length * rng.uniform(0.3, 0.45), length * 0.2)
            draw.polygon(outline, fill=scaled(green, rng.uniform(0.75, 1.15)))


def stand_props_along(draw: ImageDraw.ImageDraw, rng: np.random.Generator, width: int, ground: int, *, size: float) -> None:
    """Stand books, balls and plants on a line `ground` pixels from the top; `size` is the tallest, in pixels."""
    x = rng.uniform(-0.1, 0.3) * width
    while x < width:
        kind, tall, colour = rng.integers(4), size * rng.uniform(0.4, 1.0), _vivid(rng)
        if kind == 0:
            for _ in range(rng.integers(2, 6)):
                thick = tall * rng.uniform(0.12, 0.25)
                draw.rectangle((x, ground - tall * rng.uniform(0.8, 1), x + thick, ground), fill=_vivid(rng))
                x += thick + 1
        elif kind == 1:
            draw.ellipse((x, ground - tall * 0.6, x + tall * 0.6, ground), fill=colour)
        elif kind == 2:
            middle = x + tall * 0.2
            for angle in (-2.2, -1.57, -0.9):
                _twig(draw, rng, (middle, ground - tall * 0.3), angle, tall * 0.6)
            draw.rectangle((x, ground - tall * 0.35, x + tall * 0.4, ground), fill=colour)
        else:
            draw.rectangle((x, ground - tall * 0.5, x + tall * 0.8, ground), fill=colour)
        x += tall * 0.7 + rng.uniform(0.05, 0.4) * width


def strew_props(picture: Image.Image, rng: np.random.Generator) -> None:
    """Leave paper, pencils, twigs and coins near the edges of a table seen from above."""
    draw, (width, height) = ImageDraw.Draw(picture), picture.size
    for _ in range(rng.integers(0, 4)):
        angle = rng.uniform(0, 2 * math.pi)
        x, y = width * (0.5 + 0.5 * math.cos(angle)), height * (0.5 + 0.5 * math.sin(angle))
        reach, turn, kind = width * rng.uniform(0.12, 0.3), rng.uniform(0, math.pi), rng.integers(4)
        u, v = (reach * math.cos(turn), reach * math.sin(turn)), (-reach * math.sin(turn), reach * math.cos(turn))
        if kind == 0:
            corners = [(x + a * u[0] + b * v[0], y + a * u[1] + b * v[1]) for a, b in ((-1, -0.7), (1, -0.7), (1, 0.7), (-1, 0.7))]
            draw.polygon(corners, fill=random_colour(rng, saturation=(0.0, 0.5), value=(0.5, 1.0)))
        elif kind == 1:
            draw.line((x - u[0], y - u[1], x + u[0], y + u[1]), fill=_vivid(rng), width=int(rng.integers(4, 9)))
        elif kind == 2:
            _twig(draw, rng, (x, y), angle + math.pi + rng.uniform(-0.6, 0.6), reach * 1.3)
        else:
            draw.ellipse((x - reach / 2, y - reach / 2, x + reach / 2, y + reach / 2), fill=_vivid(rng))


def occlude(picture: Image.Image, rng: np.random.Generator, *, centre: Point, radius: float) -> None:
    """Let a twig, a ribbon or a ball hide an edge of the thing around `centre`; both in pixels."""
    draw, angle = ImageDraw.Draw(picture), rng.uniform(0, 2 * math.pi)
    outwards = (math.cos(angle), math.sin(angle))
    kind = rng.integers(3)
    if kind == 0:
        root = (centre[0] + 1.35 * radius * outwards[0], centre[1] + 1.35 * radius * outwards[1])
        _twig(draw, rng, root, angle + math.pi + rng.uniform(-0.35, 0.35), radius * rng.uniform(0.75, 1.0))
    elif kind == 1:
        near, along, colour = rng.uniform(0.5, 0.7) * radius, 3 * radius, _vivid(rng)
        start, middle, end = (
            (centre[0] + near * outwards[0] - share * along * outwards[1], centre[1] + near * outwards[1] + share * along * outwards[0])
            for share in (-1, 0, 1)
        )
        bow = (middle[0] + 0.3 * radius * outwards[0], middle[1] + 0.3 * radius * outwards[1])
        draw.line(smooth([start, bow, end], closed=False, steps=20), fill=colour, width=int(radius * 0.16), joint="curve")
        draw.line(smooth([start, bow, end], closed=False, steps=20), fill=scaled(colour, 0.8), width=2)
    else:
        size, colour = radius * rng.uniform(0.3, 0.45), _vivid(rng)
        x, y = centre[0] + (radius * 0.75 + size * 0.5) * outwards[0], centre[1] + (radius * 0.75 + size * 0.5) * outwards[1]
        # Rings that shrink towards the light make a ball of a disc.
        for ring in range(6):
            r, shift = size * (1 - ring * 0.15), size * ring * 0.06
            draw.ellipse((x - r - shift, y - r - shift, x + r - shift, y + r - shift), fill=scaled(colour, 0.72 + 0.09 * ring))
