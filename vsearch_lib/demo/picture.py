"""A picture of a product, or of two, posed, lit and photographed in a scene."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageChops, ImageFilter

from vsearch_lib.demo.factors import Factors
from vsearch_lib.demo.light import Light, lit, random_light
from vsearch_lib.demo.product import render_product
from vsearch_lib.demo.props import occlude
from vsearch_lib.demo.scenes import Scene, random_scene

Box = tuple[int, int, int, int]  # x, y, width, height in pixels

_ASPECTS = ((3, 4), (1, 1), (4, 3))
_WIDE = ((4, 3), (3, 2), (16, 9))

#: Side of a product's square as a share of the picture's shorter side, and the ratio of its width to its height.
#: Together they leave at least half of every picture to the scene, for every product.
SCALE, STRETCH = (0.7, 0.89), (0.92, 1.06)


def _picture_size(rng: np.random.Generator) -> tuple[int, int]:
    shorter, (across, down) = int(rng.integers(240, 321)), _ASPECTS[rng.integers(len(_ASPECTS))]
    return shorter * across // min(across, down), shorter * down // min(across, down)


def _posed(product: Image.Image, rng: np.random.Generator, *, side: float, tilt: float) -> Image.Image:
    """Flip, tilt by up to `tilt` degrees, crop to the visible pixels, and shrink to about `side` pixels."""
    if rng.random() < 0.5:
        product = product.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    product = product.rotate(rng.uniform(-tilt, tilt), Image.Resampling.BILINEAR, expand=True)
    product = product.crop(product.getchannel("A").getbbox())
    # A camera is seldom square to its subject, so the sides shrink by slightly different amounts.
    factor = side / 384
    size = (round(product.width * factor * rng.uniform(*STRETCH)), round(product.height * factor))
    return product.resize(size, Image.Resampling.HAMMING)


def _shadow(
    size: tuple[int, int], mask: Image.Image, corner: tuple[int, int], light: Light, *, standing: bool
) -> Image.Image:
    """Darkness of every pixel of a picture of this size, as an L image; computed at half size and enlarged."""
    half = Image.new("L", (size[0] // 2, size[1] // 2))
    width, height = mask.width // 2, mask.height // 2
    left, top = corner[0] // 2, corner[1] // 2
    blur = max(1.0, light.softness * max(width, height))
    if standing:
        # The shadow on the ground: squashed, sheared away from the light, with a dark line where the product touches.
        low = mask.resize((width, max(2, height // 4)))
        lean = int(-light.x * width * 0.35)
        half.paste(150, (left + lean, top + height - low.height + low.height // 3), low)
        half = half.filter(ImageFilter.GaussianBlur(blur * 1.6))
        touch = mask.resize((width, max(2, height // 14)))
        half.paste(200, (left, top + height - touch.height // 2), touch)
    else:
        offset = 0.06 * max(width, height)
        half.paste(165, (round(left - light.x * offset), round(top - light.y * offset)), mask.resize((width, height)))
    return half.filter(ImageFilter.GaussianBlur(blur)).resize(size, Image.Resampling.BILINEAR)


def _corner(scene: Scene, product: Image.Image, rng: np.random.Generator) -> tuple[int, int]:
    """Top left corner of the product: it is near the middle, and stands on the ground if there is one."""
    (width, height), slack = scene.picture.size, 0.04 * scene.picture.width
    spare_x, spare_y = width - product.width, height - product.height
    x = np.clip(rng.normal(spare_x / 2, 0.06 * width), min(-slack, spare_x), max(spare_x + slack, 0))
    if scene.ground is not None:
        y = scene.ground - product.height
    else:
        y = np.clip(rng.normal(spare_y / 2, 0.06 * height), -slack, max(spare_y, 0) + slack)
    return round(x), round(max(y, -slack))


def _placed(
    picture: Image.Image, product: Image.Image, corner: tuple[int, int], light: Light, *, standing: bool
) -> Image.Image:
    mask = product.getchannel("A")
    darkness = _shadow(picture.size, mask, corner, light, standing=standing)
    picture = ImageChops.multiply(picture, Image.merge("RGB", [ImageChops.invert(darkness)] * 3))
    picture.paste(product, corner, mask)
    return picture


def draw_picture(factors: Factors, rng: np.random.Generator) -> Image.Image:
    """Photograph a product: an RGB image, shorter side 240 to 320 pixels, aspect 3:4, 1:1 or 4:3.

    The factors decide what the product is; scene, light, pose, occlusion and colour drift come from `rng` alone.
    """
    width, height = _picture_size(rng)
    light = random_light(rng)
    scene = random_scene(rng, width=width, height=height)
    standing = scene.ground is not None
    side = min(width, height) * rng.uniform(*SCALE)
    product = _posed(render_product(factors, light, rng), rng, side=side, tilt=12 if standing else 25)
    corner = _corner(scene, product, rng)
    picture = _placed(scene.picture, product, corner, light, standing=standing)
    if rng.random() < 0.35:
        centre = (corner[0] + product.width / 2, corner[1] + product.height / 2)
        occlude(picture, rng, centre=centre, radius=(product.width + product.height) / 4)
    return lit(picture, light, rng)


def draw_two(first: Factors, second: Factors, rng: np.random.Generator) -> tuple[Image.Image, tuple[Box, Box]]:
    """Photograph two products side by side in one scene, as in a photo of a room: an RGB image, and their boxes.

    The shorter side is 360 to 480 pixels, the aspect 4:3, 3:2 or 16:9. A product's square has .45 to .8 of the shorter
    side, so that often one product is much larger than the other.
    """
    height, (across, down) = int(rng.integers(360, 481)), _WIDE[rng.integers(len(_WIDE))]
    width = height * across // down
    light = random_light(rng)
    scene = random_scene(rng, width=width, height=height)
    picture, standing, boxes = scene.picture, scene.ground is not None, []
    for factors, middle in ((first, 0.27), (second, 0.73)):
        side = min(height * rng.uniform(0.45, 0.8), 0.44 * width)
        product = _posed(render_product(factors, light, rng), rng, side=side, tilt=12 if standing else 25)
        x = width * (middle + rng.uniform(-0.02, 0.02)) - product.width / 2
        ground = scene.ground if scene.ground is not None else height * rng.uniform(0.75, 0.95)
        corner = round(np.clip(x, 0, width - product.width)), round(max(ground - product.height, 0))
        picture = _placed(picture, product, corner, light, standing=standing)
        boxes.append((*corner, product.width, min(product.height, height - corner[1])))
    return lit(picture, light, rng), (boxes[0], boxes[1])


def photograph(factors: Factors, rng: np.random.Generator) -> bytes:
    """Draw a picture and encode it as a JPEG of quality 40 to 90."""
    buffer = io.BytesIO()
    draw_picture(factors, rng).save(buffer, "JPEG", quality=int(rng.integers(40, 91)))
    return buffer.getvalue()
