"""The scenes in which products are photographed: nuisance, with colours independent of the product."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from vsearch_lib.demo.backgrounds import blobs, brightened, gradient, planks
from vsearch_lib.demo.noise import random_colour, scaled, smooth_noise
from vsearch_lib.demo.props import stand_props_along, strew_props


@dataclass(frozen=True)
class Scene:
    """A scene without a product.

    ground: where things stand, in pixels from the top; None if the scene is seen from above.
    """

    picture: Image.Image
    ground: int | None


def _wall_and_table(rng: np.random.Generator, width: int, height: int) -> Scene:
    edge = int(height * rng.uniform(0.60, 0.76))
    picture = Image.new("RGB", (width, height), random_colour(rng, saturation=(0.05, 0.65), value=(0.35, 0.97)))
    draw = ImageDraw.Draw(picture)
    if rng.random() < 0.4:
        paper = random_colour(rng, saturation=(0.05, 0.6), value=(0.4, 0.97))
        step = int(rng.integers(18, 60))
        for left in range(int(rng.integers(0, step)), width, step):
            draw.rectangle((left, 0, left + step * rng.uniform(0.1, 0.6), edge), fill=paper)
    if rng.random() < 0.5:
        x, y, side = rng.uniform(-0.1, 0.8) * width, rng.uniform(-0.05, 0.2) * height, rng.uniform(0.25, 0.45) * width
        draw.rectangle(
            (x, y, x + side, y + side * 1.2), fill=random_colour(rng, saturation=(0.0, 0.5), value=(0.1, 1.0))
        )
        inner = side * 0.1
        art = random_colour(rng, saturation=(0.1, 0.9), value=(0.3, 1.0))
        draw.rectangle((x + inner, y + inner, x + side - inner, y + side * 1.2 - inner), fill=art)
    stand_props_along(draw, rng, width, edge + 4, size=height * 0.3)
    picture = brightened(
        picture.filter(ImageFilter.GaussianBlur(rng.uniform(0.5, 3))),
        smooth_noise(rng, height, width, cells=(4, 4)),
        0.2,
    )
    picture.paste(planks(rng, width, height - edge, rows=1), (0, edge))
    return Scene(picture, int(edge + (height - edge) * rng.uniform(0.35, 0.7)))


def _desk(rng: np.random.Generator, width: int, height: int) -> Scene:
    upright = rng.random() < 0.5
    picture = (
        planks(rng, height, width, rows=int(rng.integers(3, 7))).transpose(Image.Transpose.ROTATE_90)
        if upright
        else planks(rng, width, height, rows=int(rng.integers(3, 7)))
    )
    strew_props(picture, rng)
    return Scene(picture, None)


def _tiles(rng: np.random.Generator, width: int, height: int) -> Scene:
    side = int(rng.integers(28, 84))
    grout = random_colour(rng, saturation=(0.0, 0.2), value=(0.3, 1.0))
    first = random_colour(rng, saturation=(0.05, 0.8), value=(0.3, 1.0))
    second = random_colour(rng, saturation=(0.05, 0.8), value=(0.3, 1.0)) if rng.random() < 0.5 else first
    long = side * (2 if rng.random() < 0.4 else 1)
    # The floor is larger than the picture, so that it can be rotated without bare corners.
    picture = Image.new("RGB", (int(width * 1.5), int(height * 1.5)), grout)
    draw = ImageDraw.Draw(picture)
    for row, y in enumerate(range(0, picture.height, side)):
        for column, x in enumerate(range(-long, picture.width, long)):
            left = x + (row % 2) * (long // 2 if long > side else 0)
            colour = scaled(second if (row + column) % 2 else first, rng.uniform(0.92, 1.06))
            draw.rectangle((left + 1, y + 1, left + long - 3, y + side - 3), fill=colour)
    picture = picture.rotate(rng.uniform(-20, 20), Image.Resampling.BILINEAR)
    left, top = (picture.width - width) // 2, (picture.height - height) // 2
    picture = picture.crop((left, top, left + width, top + height))
    strew_props(picture, rng)
    return Scene(picture, None)


def _fabric(rng: np.random.Generator, width: int, height: int) -> Scene:
    y, x = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j].astype(np.float32)
    warp = smooth_noise(rng, height, width, cells=(4, 4))
    angle = rng.uniform(0, np.pi)
    folds = 0.5 + 0.5 * np.sin(2 * np.pi * (rng.uniform(1.5, 4) * (x * np.cos(angle) + y * np.sin(angle)) + 2.2 * warp))
    picture = Image.new("RGB", (width, height), random_colour(rng, saturation=(0.05, 0.8), value=(0.35, 1.0)))
    if rng.random() < 0.5:
        draw = ImageDraw.Draw(picture, "RGBA")
        band, step = random_colour(rng, saturation=(0.05, 0.8), value=(0.3, 1.0)), int(rng.integers(20, 56))
        for start in range(0, max(width, height), step):
            draw.rectangle((start, 0, start + step // 3, height), fill=(*band, 150))
            draw.rectangle((0, start, width, start + step // 3), fill=(*band, 150))
    return Scene(brightened(picture, folds, 0.42), None)


def _garden(rng: np.random.Generator, width: int, height: int) -> Scene:
    w, h = width // 2, height // 2
    top, bottom = (random_colour(rng, saturation=(0.3, 0.8), value=(0.25, 0.9)) for _ in range(2))
    picture = gradient(w, h, top, bottom)
    blobs(picture, rng, count=70, radius=(0.03, 0.14), saturation=(0.3, 0.85), value=(0.2, 1.0), opacity=130)
    picture = picture.filter(ImageFilter.GaussianBlur(rng.uniform(2, 7)))
    blobs(
        picture,
        rng,
        count=int(rng.integers(4, 16)),
        radius=(0.03, 0.09),
        saturation=(0.1, 0.6),
        value=(0.7, 1.0),
        opacity=90,
    )
    picture = picture.filter(ImageFilter.GaussianBlur(1)).resize((width, height), Image.Resampling.BICUBIC)
    edge = int(height * rng.uniform(0.66, 0.8))
    picture.paste(planks(rng, width, height - edge, rows=2), (0, edge))
    return Scene(picture, int(edge + (height - edge) * rng.uniform(0.25, 0.6)))


def _shelf(rng: np.random.Generator, width: int, height: int) -> Scene:
    wall = random_colour(rng, saturation=(0.05, 0.6), value=(0.3, 0.97))
    picture = gradient(width, height, wall, scaled(wall, rng.uniform(0.7, 1.1)))
    draw = ImageDraw.Draw(picture)
    board = int(height * rng.uniform(0.80, 0.88))
    thick = int(height * rng.uniform(0.05, 0.09))
    upper = int(height * rng.uniform(0.02, 0.09))
    stand_props_along(draw, rng, width, board + 2, size=height * 0.42)
    picture = picture.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 1.5)))
    for y in (upper, board):
        picture.paste(planks(rng, width, thick, rows=1), (0, y))
        ImageDraw.Draw(picture, "RGBA").rectangle((0, y + thick, width, y + thick + 5), fill=(0, 0, 0, 70))
    return Scene(picture, board + thick // 3)


def _studio(rng: np.random.Generator, width: int, height: int) -> Scene:
    first, second = (random_colour(rng, saturation=(0.02, 0.75), value=(0.4, 1.0)) for _ in range(2))
    picture = gradient(width, height, first, second)
    if rng.random() < 0.6:
        draw, arch = ImageDraw.Draw(picture), random_colour(rng, saturation=(0.05, 0.7), value=(0.4, 1.0))
        x, radius = rng.uniform(0.2, 0.8) * width, rng.uniform(0.25, 0.5) * width
        y = rng.uniform(0.3, 0.6) * height
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=arch)
        if rng.random() < 0.5:
            draw.rectangle((x - radius, y, x + radius, height), fill=arch)
    ground = int(height * rng.uniform(0.78, 0.9))
    floor = scaled(second, rng.uniform(0.75, 1.1))
    ImageDraw.Draw(picture).rectangle((0, int(ground - height * rng.uniform(0.05, 0.16)), width, height), fill=floor)
    return Scene(picture.filter(ImageFilter.GaussianBlur(0.8)), ground)


def _street(rng: np.random.Generator, width: int, height: int) -> Scene:
    w, h = width // 2, height // 2
    sky = random_colour(rng, saturation=(0.2, 0.8), value=(0.15, 0.95))
    picture = gradient(w, h, sky, scaled(sky, rng.uniform(0.4, 1.2)))
    draw, x = ImageDraw.Draw(picture), 0.0
    while x < w:
        step = rng.uniform(0.08, 0.25) * w
        house = random_colour(rng, saturation=(0.05, 0.6), value=(0.12, 0.85))
        draw.rectangle((x, h * rng.uniform(0.0, 0.4), x + step, h), fill=house)
        x += step
    picture = picture.filter(ImageFilter.GaussianBlur(rng.uniform(3, 6)))
    blobs(
        picture,
        rng,
        count=int(rng.integers(10, 34)),
        radius=(0.015, 0.07),
        saturation=(0.2, 0.9),
        value=(0.7, 1.0),
        opacity=120,
    )
    picture = picture.filter(ImageFilter.GaussianBlur(0.8)).resize((width, height), Image.Resampling.BICUBIC)
    edge = int(height * rng.uniform(0.7, 0.84))
    stone = random_colour(rng, saturation=(0.0, 0.35), value=(0.2, 0.85))
    slab = brightened(
        Image.new("RGB", (width, height - edge), stone), smooth_noise(rng, height - edge, width, cells=(20, 60)), 0.3
    )
    picture.paste(slab, (0, edge))
    return Scene(picture, int(edge + (height - edge) * rng.uniform(0.25, 0.6)))


_SCENES: tuple[Callable[[np.random.Generator, int, int], Scene], ...] = (
    _wall_and_table,
    _desk,
    _tiles,
    _fabric,
    _garden,
    _shelf,
    _studio,
    _street,
)


def random_scene(rng: np.random.Generator, *, width: int, height: int) -> Scene:
    """An empty scene of one of eight kinds, width x height pixels, RGB."""
    return _SCENES[rng.integers(len(_SCENES))](rng, width, height)
