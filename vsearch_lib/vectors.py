"""The array types that signatures speak of."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Vectors: TypeAlias = NDArray[np.float32]  # (n, d), or (d,) for one
RowIds: TypeAlias = NDArray[np.int64]  # (n,) or (queries, k)
