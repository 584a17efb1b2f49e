"""Draws many pictures, on all cores."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Generator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

import numpy as np

from vsearch_lib.demo.factors import Factors
from vsearch_lib.demo.picture import photograph
from vsearch_lib.errors import VsearchError

#: Separates the random numbers of pictures from all others that come from the catalogue's seed.
_STREAM = 1

Order = tuple[int, int, Factors]


def _die_with_parent() -> None:
    """Exit when the parent ends: the workers of a killed parent would otherwise wait for orders for ever."""
    parent = multiprocessing.parent_process()

    def watch() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def draw_one(order: Order) -> bytes:
    """Draw one (seed, index, factors) as JPEG bytes; the same order gives the same bytes in any process."""
    seed, index, factors = order
    return photograph(factors, np.random.default_rng([seed, _STREAM, index]))


def draw_all(orders: Sequence[Order]) -> Generator[bytes, None, None]:
    """Yield the JPEG of every order, in the sequence of the orders.

    Raises VsearchError if a drawing process dies.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    pool = ProcessPoolExecutor(min(cores, len(orders)), initializer=_die_with_parent)
    try:
        yield from pool.map(draw_one, orders, chunksize=16)
    except BrokenProcessPool as error:
        raise VsearchError(
            "a process that draws demo pictures died, perhaps for lack of memory; run it again"
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)
