"""What an examination curve is estimated from: impressions and clicks, counted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Counts:
    """Impressions and clicks; every field has one entry a row, shape (n,). Rows of the same key are added up.

    pair: code of the query and the displayed image together. version: code of the index version that answered.
    position: from 1, the top. half: 0 or 1, by a hash of the request. bucket: a hash of the query, one of about 20
    values. randomised: whether the page was shuffled. impressions; clicks: how many of these impressions were clicked.

    Raises:
        ValueError: the fields differ in length, or a value is out of its range.
    """

    pair: Ints
    version: Ints
    position: Ints
    half: Ints
    bucket: Ints
    randomised: Bools
    impressions: Ints
    clicks: Ints

    def __post_init__(self) -> None:
        if len({(len(column), column.ndim) for column in vars(self).values()}) != 1:
            raise ValueError("the fields of counts differ in length; give each one entry a row")
        if ((self.clicks < 0) | (self.clicks > self.impressions)).any():
            raise ValueError(
                "a row has more clicks than impressions, or fewer than 0; count an impression's click once"
            )
        if (self.position < 1).any():
            raise ValueError("a position is below 1; the top of a page is position 1")
        if ((self.half < 0) | (self.half > 1)).any():
            raise ValueError("a half is neither 0 nor 1")

    def __len__(self) -> int:
        return len(self.pair)


def total(index: Ints, amounts: npt.NDArray[Any], size: int) -> Floats:
    """Return the sum of the amounts at each index from 0 to size - 1: (size,)."""
    return np.bincount(index, amounts, size).astype(np.float64)
