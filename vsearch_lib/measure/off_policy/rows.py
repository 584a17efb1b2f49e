"""Checks of arrays that hold one number for each row of a log."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vsearch_lib.errors import InvalidArgument

Numbers = NDArray[np.float64]  # (n,)


def one_a_row(name: str, values: ArrayLike, *, n: int | None = None) -> Numbers:
    """Return `values` as float64 (n,).

    Raises:
        InvalidArgument: they are not of shape (n,), or there is none, or one is not finite.
    """
    rows = np.asarray(values, dtype=np.float64)
    if rows.ndim != 1 or rows.size == 0:
        raise InvalidArgument(name, f"has the shape {rows.shape}; give one number for each row of a log of one or more")
    if n is not None and len(rows) != n:
        raise InvalidArgument(name, f"has the length {len(rows)}, reward the length {n}; give one number for each row")
    _refuse(name, rows, ~np.isfinite(rows), "a finite number")
    return rows


def shares(name: str, values: ArrayLike, *, n: int | None = None, zero: bool = True) -> Numbers:
    """Return `values` as float64 (n,): numbers from 0 to 1, without 0 itself if `zero` is false.

    Raises:
        InvalidArgument: as in `one_a_row`; or a number is outside the range.
    """
    rows = one_a_row(name, values, n=n)
    too_low = rows < 0 if zero else rows <= 0
    _refuse(name, rows, too_low | (rows > 1), f"a number {'from' if zero else 'above'} 0 up to 1")
    return rows


def _refuse(name: str, rows: Numbers, bad: NDArray[np.bool_], allowed: str) -> None:
    if bad.any():
        first = int(np.argmax(bad))
        raise InvalidArgument(
            name, f"is {rows[first]:g} in row {first}, and wrong in {bad.sum()} of {len(rows)} rows; give {allowed}"
        )
