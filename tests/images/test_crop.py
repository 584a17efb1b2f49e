"""A part of a picture becomes the same stored picture as a file that has only this part."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from vsearch_lib.images.crop import OutsidePicture, crop_jpeg
from vsearch_lib.images.decode import Limits, RefusedPicture, normalise

LIMITS = Limits(max_bytes=1_000_000, max_pixels=1_000_000, min_side=16, size=64)
BLUE = (20, 40, 200)


def noise(width: int, height: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(1).integers(0, 256, (height, width, 3), dtype=np.uint8))


def encoded(image: Image.Image, kind: str = "PNG", **options) -> bytes:
    content = io.BytesIO()
    image.save(content, kind, **options)
    return content.getvalue()


def opened(jpeg: bytes) -> Image.Image:
    return Image.open(io.BytesIO(jpeg))


def test_a_crop_is_the_requested_part():
    quarters = Image.new("RGB", (160, 80))
    quarters.paste(BLUE, (80, 40, 160, 80))
    part = np.asarray(opened(crop_jpeg(encoded(quarters), (80, 40, 80, 40), LIMITS)), dtype=int)
    assert part.shape == (40, 80, 3)
    assert np.abs(part - np.array(BLUE)).max() <= 12


@pytest.mark.parametrize("box", [(32, 16, 48, 40), (10, 20, 150, 100), (0, 0, 400, 300), (3, 5, 396, 291)])
def test_a_crop_gives_the_stored_picture_of_a_file_with_the_same_part(box):
    picture = noise(400, 300)
    x, y, width, height = box
    part = normalise(encoded(picture.crop((x, y, x + width, y + height))), LIMITS)
    assert crop_jpeg(encoded(picture), box, LIMITS) == part.jpeg


def test_a_crop_of_a_photo_is_cut_before_it_is_shrunk():
    """Stripes one pixel wide remain visible in the part; in the whole picture, shrunk to 64 pixels, they are grey."""
    photo = Image.new("L", (600, 600), 0)
    for x in range(100, 160, 2):
        photo.paste(255, (x, 100, x + 1, 160))
    part = np.asarray(opened(crop_jpeg(encoded(photo), (100, 100, 60, 60), LIMITS)).convert("L"), dtype=int)
    assert part.shape == (60, 60)
    assert np.ptp(part, axis=1).min() > 200


def test_a_box_is_in_pixels_of_the_upright_picture():
    turned, exif = noise(120, 80), Image.Exif()
    exif[0x0112] = 6  # a quarter turn clockwise makes it upright
    upright = turned.rotate(-90, expand=True)
    part = normalise(encoded(upright.crop((10, 30, 60, 110))), LIMITS)
    assert crop_jpeg(encoded(turned, exif=exif), (10, 30, 50, 80), LIMITS) == part.jpeg


def test_the_limit_of_bytes_applies_to_the_file_and_not_to_the_pixels_of_the_part():
    """A JPEG is far smaller than the pixels of its photo."""
    photo = encoded(noise(300, 300), "JPEG", quality=50)
    limits = Limits(max_bytes=100_000, max_pixels=1_000_000, min_side=16, size=64)
    assert len(photo) < limits.max_bytes < len(encoded(noise(280, 280)))
    assert opened(crop_jpeg(photo, (10, 10, 280, 280), limits)).size == (64, 64)


@pytest.mark.parametrize(
    "box",
    [(-1, 0, 20, 20), (0, -1, 20, 20), (77, 0, 20, 20), (0, 45, 20, 20), (0, 0, 97, 64), (0, 0, 0, 0), (5, 5, 20, -3)],
)
def test_a_box_outside_the_picture_is_refused_and_the_message_has_the_sides(box):
    with pytest.raises(OutsidePicture, match="lies outside the picture, which is 96 x 64"):
        crop_jpeg(encoded(noise(96, 64)), box, LIMITS)


@pytest.mark.parametrize(
    ("sides", "box", "reason"),
    [((96, 64), (0, 0, 15, 40), "too_small"), ((15, 40), (0, 0, 15, 40), "too_small")],
)
def test_a_picture_or_part_that_would_not_be_ingested_is_refused(sides, box, reason):
    with pytest.raises(RefusedPicture) as refused:
        crop_jpeg(encoded(noise(*sides)), box, LIMITS)
    assert refused.value.reason == reason


def test_a_part_that_is_too_narrow_is_refused_like_a_narrow_picture():
    limits = Limits(max_bytes=1_000_000, max_pixels=1_000_000, min_side=16, size=64, max_aspect=3)
    with pytest.raises(RefusedPicture, match="longer side may be 3 x shorter"):
        crop_jpeg(encoded(noise(100, 100)), (0, 0, 100, 20), limits)
