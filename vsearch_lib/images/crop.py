"""A part of a picture → the stored form: a user searches with a part, and the gate tests the index with parts."""

from typing import TypeAlias

from PIL import Image

from vsearch_lib.images.decode import Limits, normal_jpeg, upright_rgb

Box: TypeAlias = tuple[int, int, int, int]  # x, y, width, height in pixels of the upright picture


class OutsidePicture(ValueError):
    """Raised when a box is empty or reaches beyond its picture."""


def crop_jpeg(content: bytes, box: Box, limits: Limits) -> bytes:
    """Return the part `box` of a picture as the JPEG that would be stored if this part were ingested as a file.

    `limits` apply to the picture and to the part, except that `max_bytes` applies to the picture alone.

    Raises:
        RefusedPicture: the picture or its part is not accepted.
        OutsidePicture: the box does not lie inside the picture; the message gives the box and the picture's sides.
    """
    return part_jpeg(upright_rgb(content, limits), box, limits)


def part_jpeg(whole: Image.Image, box: Box, limits: Limits) -> bytes:
    """Return the part `box` of an upright RGB picture as `crop_jpeg` does."""
    x, y, width, height = box
    if x < 0 or y < 0 or width < 1 or height < 1 or x + width > whole.width or y + height > whole.height:
        sides = f"{whole.width} x {whole.height}"
        raise OutsidePicture(f"{x},{y},{width},{height} lies outside the picture, which is {sides}")
    return normal_jpeg(whole.crop((x, y, x + width, y + height)), limits)
