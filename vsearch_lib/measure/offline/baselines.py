"""The baseline that a search has to beat: the pixels themselves."""

import numpy as np

from vsearch_lib.encoder.pixels import to_square
from vsearch_lib.vectors import Vectors

PIXELS_SIDE = 32


def pixel_vectors(jpegs: list[bytes]) -> Vectors:
    """Return each picture's 32 × 32 grey pixels, (n, 1024), mean subtracted, of unit length; zeros if all are equal.

    Grey is the mean of the three channels.
    """
    flat = np.stack([to_square(jpeg, PIXELS_SIDE).mean(axis=2, dtype=np.float32).ravel() for jpeg in jpegs])
    flat -= flat.mean(axis=1, keepdims=True)
    lengths = np.linalg.norm(flat, axis=1, keepdims=True)
    return np.asarray(flat / np.maximum(lengths, 1e-6), dtype=np.float32)
