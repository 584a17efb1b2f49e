"""The picture of a query: checked, cut and prepared as ingestion does it."""

import math
import stat
from dataclasses import dataclass
from pathlib import Path

from vsearch_lib.config.settings import Settings
from vsearch_lib.errors import InvalidArgument, UsageError
from vsearch_lib.images.crop import Box, part_jpeg
from vsearch_lib.images.decode import Limits, RefusedPicture, normalise, upright_rgb
from vsearch_lib.serving.ask import Ask, Crop, Fractions


class RefusedQuery(UsageError):
    """Raised when the picture of a query is not accepted; `reason` is a code of `quarantine.reasons.REASONS`."""

    def __init__(self, refusal: RefusedPicture) -> None:
        super().__init__(f"the query picture is refused ({refusal.reason}): {refusal}")
        self.reason = refusal.reason


@dataclass(frozen=True)
class QueryPicture:
    """The picture of a query, or its part `crop`, in the form that is embedded.

    Attributes:
        phash: the perceptual hash of a whole picture, None for a part.
        crop: the part, None for the whole picture.
    """

    jpeg: bytes
    phash: str | None
    crop: Fractions | None


def check_ask(ask: Ask) -> None:
    """Check that a query has something to search with.

    Raises:
        InvalidArgument: it has not, or has two of it.
    """
    if ask.picture is not None and ask.image_id is not None:
        raise InvalidArgument("image_id", "and a picture are given: give one of them")
    if ask.picture is None and ask.image_id is None:
        if not ask.like:
            raise InvalidArgument(
                "image", "is missing: give a picture, an image_id, or images that answers should look like"
            )
        if ask.crop is not None:
            raise InvalidArgument("crop", "needs a picture or an image to cut: give one of them")
    if ask.k < 1:
        raise InvalidArgument("k", f"{ask.k} is not a number of answers: give 1 or more")


def limits_of(settings: Settings) -> Limits:
    """Return the limits of a picture; a person may search with a crop of any shape."""
    image = settings.image
    return Limits(image.max_bytes, image.max_pixels, image.min_side, image.size)


def read_query(file: Path, limits: Limits) -> bytes:
    """Return the bytes of a query file.

    Raises:
        InvalidArgument: the file does not exist, is not a regular file, is too large, or may not be read.
    """
    try:
        status = file.stat()
        if stat.S_ISDIR(status.st_mode):
            raise InvalidArgument("image", f"{file}: this is a folder; give a picture file")
        # Reading a pipe could wait for ever.
        if not stat.S_ISREG(status.st_mode):
            raise InvalidArgument("image", f"{file}: this is not a regular file; give a picture file")
        if status.st_size > limits.max_bytes:
            raise InvalidArgument(
                "image",
                f"{file}: {status.st_size} bytes, and image.max_bytes is {limits.max_bytes}; give a smaller one",
            )
        return file.read_bytes()
    except FileNotFoundError:
        raise InvalidArgument("image", f"{file}: no such file; give a picture file") from None
    except (OSError, ValueError) as error:
        raise InvalidArgument("image", f"{file}: {str(getattr(error, 'strerror', error)).lower()}") from None


def query_picture(
    content: bytes, limits: Limits, crop: Crop | None = None, *, original: tuple[int, int] | None = None
) -> QueryPicture:
    """Return a picture, or its part `crop`, in the form that is embedded.

    Args:
        original: width and height that pixels of the crop refer to, if they are not those of the picture.

    Raises:
        RefusedQuery: the picture is not accepted.
        InvalidArgument: the crop has no area, does not lie inside the picture, or is too small.
    """
    try:
        if crop is None:
            picture = normalise(content, limits)
            return QueryPicture(picture.jpeg, picture.phash, None)
        whole = upright_rgb(content, limits)
    except RefusedPicture as refusal:
        raise RefusedQuery(refusal) from None
    fractions = fractions_of(crop, original or whole.size)
    try:
        return QueryPicture(part_jpeg(whole, box_of(fractions, whole.size), limits), None, fractions)
    except RefusedPicture as refusal:
        raise InvalidArgument("crop", f"{_text(crop)}: {refusal} ({refusal.reason}); choose a larger part") from None


def fractions_of(crop: Crop, sides: tuple[int, int]) -> Fractions:
    """Return a crop as fractions of a picture's `sides`, width and height in pixels.

    A crop may reach half a pixel beyond the picture, because fractions are rounded where they are written as text.

    Raises:
        InvalidArgument: it has no area, or does not lie inside the picture.
    """
    given = (crop.x, crop.y, crop.width, crop.height)
    if not all(map(math.isfinite, given)):
        raise InvalidArgument("crop", f"{_text(crop)}: these are not four finite numbers: give x,y,width,height")
    width, height = sides
    scale = (1, 1) if all(value <= 1 for value in given) else sides
    left, top = crop.x / scale[0], crop.y / scale[1]
    right, bottom = left + crop.width / scale[0], top + crop.height / scale[1]
    beyond = max(-left * width, -top * height, (right - 1) * width, (bottom - 1) * height)  # in pixels
    left, top, right, bottom = max(0.0, left), max(0.0, top), min(1.0, right), min(1.0, bottom)
    if right <= left or bottom <= top or beyond > 0.5:
        raise InvalidArgument("crop", f"{_text(crop)} lies outside the picture, which is {width} x {height}")
    return left, top, right - left, bottom - top


def box_of(fractions: Fractions, sides: tuple[int, int]) -> Box:
    """Return a part of a picture with `sides` in whole pixels, at least one."""
    x, y, width, height = fractions
    left, right = round(x * sides[0]), round((x + width) * sides[0])
    top, bottom = round(y * sides[1]), round((y + height) * sides[1])
    left, top = min(left, sides[0] - 1), min(top, sides[1] - 1)
    return left, top, max(1, right - left), max(1, bottom - top)


def _text(crop: Crop) -> str:
    return ",".join(f"{value:g}" for value in (crop.x, crop.y, crop.width, crop.height))
