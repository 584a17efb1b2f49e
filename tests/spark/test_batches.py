"""Batches are cut where a value changes, and joined into tables of one size, without losing or reordering rows."""

from __future__ import annotations

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from vsearch_lib.spark.batches import cut_by, in_tables

SIZES = st.lists(st.integers(0, 9), max_size=8)


def batches(sizes: list[int], values: list[int]) -> list[pa.RecordBatch]:
    starts = [sum(sizes[:i]) for i in range(len(sizes))]
    return [
        pa.RecordBatch.from_pydict({"shard": pa.array(values[start : start + size], pa.int64())})
        for start, size in zip(starts, sizes, strict=True)
    ]


@given(sizes=SIZES, rows=st.integers(1, 6))
def test_tables_have_the_wanted_size_except_the_last(sizes, rows):
    values = list(range(sum(sizes)))
    tables = list(in_tables(batches(sizes, values), rows))
    assert [value for table in tables for value in table["shard"].to_pylist()] == values
    assert all(len(table) == rows for table in tables[:-1])
    assert all(0 < len(table) <= rows for table in tables)


@given(sizes=SIZES, changes=st.sets(st.integers(1, 60)))
def test_each_value_has_all_its_rows(sizes, changes):
    values = [sum(place >= change for change in changes) for place in range(sum(sizes))]
    cut = [
        (value, [v for batch in parts for v in batch.column("shard").to_pylist()])
        for value, parts in cut_by(batches(sizes, values), "shard")
    ]
    assert [value for value, _ in cut] == sorted(set(values))
    assert [value for _, found in cut for value in found] == values
