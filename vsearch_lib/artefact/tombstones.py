"""Tombstones: the images whose earlier rows are dead, because the image was later changed, deleted or blocked."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

TOMBSTONES = pa.schema([("image_id", pa.string()), ("before_id", pa.int64())])

Mask: TypeAlias = npt.NDArray[np.bool_]


def write_tombstones(image_ids: Iterable[str], before_id: int, path: Path) -> None:
    """Write an Arrow file `path` which says that rows of `image_ids` with row ids below `before_id` are dead."""
    ids = sorted(image_ids)
    table = pa.table([pa.array(ids, pa.string()), pa.array([before_id] * len(ids), pa.int64())], schema=TOMBSTONES)
    with pa.ipc.new_file(path, TOMBSTONES) as file:
        file.write_table(table)


def read_tombstones(paths: Sequence[Path]) -> pa.Table:
    """Return the tombstones in all of `paths`; an image may occur several times."""
    tables = [pa.ipc.open_file(pa.memory_map(str(path))).read_all() for path in paths]
    return pa.concat_tables(tables) if tables else TOMBSTONES.empty_table()


def dead_rows(tombstones: pa.Table, image_ids: pa.ChunkedArray, first_id: int) -> Mask:
    """Return which rows of a shard, whose ids start at `first_id`, are dead.

    A shard is written as a whole, so a tombstone applies either to all of its rows or to none.
    """
    buried = tombstones.filter(pc.greater(tombstones["before_id"], first_id))["image_id"].combine_chunks()
    if not len(buried):
        return np.zeros(len(image_ids), dtype=bool)
    return np.asarray(pc.is_in(image_ids, value_set=buried))
