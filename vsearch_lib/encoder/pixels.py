"""Stored JPEG pixels → the square of uint8 RGB that an encoder takes."""

import cv2
import numpy as np
import simplejpeg
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]  # (height, width, 3) RGB

# Each core already has a task, a worker or a server thread, so OpenCV must not start threads of its own.
cv2.setNumThreads(1)


def to_square(jpeg: bytes | memoryview, side: int, *, out: Pixels | None = None) -> Pixels:
    """Return (side, side, 3) uint8 RGB: the picture's central square, written to `out` if that is given.

    Measured on clothing photos with frozen MobileNetV2 features (P@10 by label): the central square .71, the whole
    picture squeezed .67, the usual central 224 of 256 .68.

    Raises:
        ValueError: the bytes are not a JPEG.
    """
    pixels = _decoded(jpeg, side)
    height, width = pixels.shape[:2]
    square = min(height, width)
    top, left = (height - square) // 2, (width - square) // 2
    return _resized(pixels[top : top + square, left : left + square], side, out)


def end_squares(jpeg: bytes | memoryview, side: int) -> tuple[Pixels, Pixels]:
    """Return the squares at the two ends of a picture's longer side, the upper or left one first, as `to_square` does.

    Raises:
        ValueError: the bytes are not a JPEG.
    """
    pixels = _decoded(jpeg, side)
    square = min(pixels.shape[:2])
    return _resized(pixels[:square, :square], side), _resized(pixels[-square:, -square:], side)


def _decoded(jpeg: bytes | memoryview, side: int) -> Pixels:
    # If the picture is larger than needed, the decoder's own scaling saves most of the work.
    pixels: Pixels = simplejpeg.decode_jpeg(jpeg, colorspace="RGB", fastdct=True, min_height=side, min_width=side)
    return pixels


def _resized(square: Pixels, side: int, out: Pixels | None = None) -> Pixels:
    out = np.empty((side, side, 3), np.uint8) if out is None else out
    # A reduction averages areas, so that every pixel counts.
    interpolation = cv2.INTER_AREA if len(square) > side else cv2.INTER_LINEAR
    cv2.resize(square, (side, side), dst=out, interpolation=interpolation)
    return out
