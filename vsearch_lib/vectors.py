"""Types of arrays for signatures, and the conversion of stored float16 vectors."""

from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

Vectors: TypeAlias = NDArray[np.float32]  # (n, d), or (d,) for one
RowIds: TypeAlias = NDArray[np.int64]  # (n,) or (queries, k)
Halves: TypeAlias = NDArray[np.float16]  # (n, d)


def to_float32(halves: Halves) -> Vectors:
    """Return stored float16 vectors (n, d) as float32, exactly.

    OpenCV uses the processor's instruction for it; numpy takes fifteen times as long, and would be
    most of the cost of re-scoring.
    """
    if not halves.size:
        return halves.astype(np.float32)
    return np.asarray(cv2.convertFp16(np.ascontiguousarray(halves).view(np.int16)), dtype=np.float32)
