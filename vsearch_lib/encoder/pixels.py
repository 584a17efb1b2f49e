"""Stored JPEG pixels → the square uint8 tensor that an encoder takes."""

import numpy as np
import simplejpeg
import torch
from torch import Tensor


def to_square(jpeg: bytes, side: int) -> Tensor:
    """Return (3, side, side) uint8 RGB: the picture's central square.

    Measured on clothing photos with frozen MobileNetV2 features (P@10 by label): the central square .71, the whole
    picture squeezed .67, the usual central 224 of 256 .68.

    Raises:
        ValueError: the bytes are not a JPEG.
    """
    # The decoder's own scaling skips most of the work of a picture larger than needed.
    pixels = simplejpeg.decode_jpeg(jpeg, colorspace="RGB", fastdct=True, min_height=side, min_width=side)
    height, width = pixels.shape[:2]
    square = min(height, width)
    top, left = (height - square) // 2, (width - square) // 2
    image = torch.from_numpy(pixels[top : top + square, left : left + square]).permute(2, 0, 1).unsqueeze(0)
    if square == side:
        return image.squeeze(0)
    return torch.nn.functional.interpolate(image, size=(side, side), mode="bilinear", antialias=True).squeeze(0)


def crop_jpeg(jpeg: bytes, *, left: float, top: float, share: float) -> bytes:
    """Return the part of a stored picture that starts at `left`, `top` and spans `share` of each side (all 0–1)."""
    pixels = simplejpeg.decode_jpeg(jpeg, colorspace="RGB")
    height, width = pixels.shape[:2]
    y, x = int(top * height), int(left * width)
    part = pixels[y : y + max(1, int(share * height)), x : x + max(1, int(share * width))]
    return bytes(simplejpeg.encode_jpeg(np.ascontiguousarray(part), quality=95, colorspace="RGB"))
