"""Arrow batches as a task receives them: cut where a column changes, and joined into tables of one size."""

from collections.abc import Iterable, Iterator
from itertools import groupby, pairwise

import numpy as np
import pyarrow as pa


def cut_by(batches: Iterable[pa.RecordBatch], column: str) -> Iterator[tuple[int, Iterator[pa.RecordBatch]]]:
    """Yield each value of the integer `column`, and the batches with that value; rows of a value must be consecutive.

    As with `itertools.groupby`, the batches of a value must be read before the next value.
    """
    for value, parts in groupby(_pieces(batches, column), key=lambda piece: piece[0]):
        yield value, (batch for _, batch in parts)


def _pieces(batches: Iterable[pa.RecordBatch], column: str) -> Iterator[tuple[int, pa.RecordBatch]]:
    for batch in batches:
        values = batch.column(column).to_numpy()
        cuts = [0, *(np.flatnonzero(np.diff(values)) + 1), len(values)]
        for start, end in pairwise(cuts):
            if end > start:
                yield int(values[start]), batch.slice(start, end - start)


def in_tables(batches: Iterable[pa.RecordBatch], rows: int) -> Iterator[pa.Table]:
    """Join batches into tables of exactly `rows` rows, the last one perhaps smaller: files do not depend on batches."""
    waiting: list[pa.RecordBatch] = []
    count = 0
    for batch in batches:
        waiting.append(batch)
        count += batch.num_rows
        while count >= rows:
            table = pa.Table.from_batches(waiting)
            yield table.slice(0, rows)
            waiting = table.slice(rows).to_batches()
            count -= rows
    if count:
        yield pa.Table.from_batches(waiting)
