"""A part of a picture → the form that is embedded: a person cuts it out to search with, the gate to try the index."""

from typing import TypeAlias

from vsearch_lib.images.decode import Limits, normal_jpeg, upright_rgb

Box: TypeAlias = tuple[int, int, int, int]  # x, y, width, height in pixels of the upright picture


class OutsidePicture(ValueError):
    """Raised when a box is empty or reaches beyond its picture."""


def crop_jpeg(content: bytes, box: Box, limits: Limits) -> bytes:
    """Return the part `box` of a picture's bytes as the JPEG that ingesting this part as a file would store.

    `limits` hold for the picture and for its part, but the part has no bytes of its own to be limited.

    Raises:
        RefusedPicture: the picture or its part is not accepted.
        OutsidePicture: the box does not lie inside of the picture; the message gives the sides of both.
    """
    x, y, width, height = box
    whole = upright_rgb(content, limits)
    if x < 0 or y < 0 or width < 1 or height < 1 or x + width > whole.width or y + height > whole.height:
        sides = f"{whole.width} x {whole.height}"
        raise OutsidePicture(f"{x},{y},{width},{height} lies outside the picture, which is {sides}")
    return normal_jpeg(whole.crop((x, y, x + width, y + height)), limits)
