"""Measures of a picture's luma: its perceptual hash, its brightness, its sharpness."""

import numpy as np
import numpy.typing as npt
from PIL import Image

_SIDE, _WAVES = 32, 8  # as in imagehash: the 8 x 8 lowest frequencies of the picture at 32 x 32
_COSINES = np.cos(np.pi / _SIDE * np.outer(np.arange(_WAVES), np.arange(_SIDE) + 0.5))


def phash(luma: Image.Image) -> str:
    """Return the 64-bit hash that `imagehash.phash` gives, as 16 hex digits, in half the time."""
    small = np.asarray(luma.resize((_SIDE, _SIDE), Image.Resampling.LANCZOS), dtype=np.float64)
    # Rounded, so that every wave of a flat picture is exactly zero and not a rounding error with a sign.
    waves = (_COSINES @ small @ _COSINES.T).round(6)
    ordered = np.sort(waves, axis=None)
    median = (ordered[_WAVES * _WAVES // 2 - 1] + ordered[_WAVES * _WAVES // 2]) / 2
    return np.packbits(waves > median).tobytes().hex()


def brightness(luma: npt.NDArray[np.uint8]) -> float:
    """Return the mean luma, 0 to 255."""
    return float(luma.mean())


def sharpness(luma: npt.NDArray[np.uint8]) -> float:
    """Return the variance of the luma's 4-neighbour Laplacian; 0 if no pixel has four neighbours."""
    value = luma.astype(np.int16)
    laplacian = value[1:-1, :-2] + value[1:-1, 2:]
    laplacian += value[:-2, 1:-1]
    laplacian += value[2:, 1:-1]
    laplacian -= value[1:-1, 1:-1] << 2
    if not laplacian.size:
        return 0.0
    inside = laplacian.astype(np.float32).ravel()
    # The variance as a dot product takes half the time of `var`.
    return float(np.dot(inside, inside)) / inside.size - float(inside.mean()) ** 2
