"""A tombstone makes an image's earlier rows dead, and none of its later rows."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vsearch_lib.artefact.tombstones import dead_rows, read_tombstones, write_tombstones


def column(images: list[str]) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(images, pa.string())])


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("tombstones")


_numbers = itertools.count()  # a mapped file must not be overwritten


def tombstones_of(folder: Path, *nights: tuple[list[str], int]) -> pa.Table:
    paths = [folder / f"{next(_numbers)}.arrow" for _ in nights]
    for path, (images, before_id) in zip(paths, nights, strict=True):
        write_tombstones(images, before_id, path)
    return read_tombstones(paths)


def test_earlier_rows_of_a_changed_image_are_dead_and_its_last_row_is_alive(folder):
    """Row ids 0-2 are the shard, 3-4 the first delta, 5 the second; `b` changed twice, `a` left in the second night."""
    shard, first, second = column(["a", "b", "c"]), column(["b", "d"]), column(["b"])
    one_night = tombstones_of(folder, (["b"], 3))
    assert dead_rows(one_night, shard, 0).tolist() == [False, True, False]
    assert dead_rows(one_night, first, 3).tolist() == [False, False]
    two_nights = tombstones_of(folder, (["b"], 3), (["a", "b"], 5))
    assert dead_rows(two_nights, shard, 0).tolist() == [True, True, False]
    assert dead_rows(two_nights, first, 3).tolist() == [True, False]
    assert dead_rows(two_nights, second, 5).tolist() == [False]


nights = st.lists(st.tuples(st.sets(st.sampled_from("abcdef")), st.sets(st.sampled_from("abcdef"))), max_size=5)


@settings(deadline=None, max_examples=150)
@given(base=st.lists(st.sampled_from("abcdef"), min_size=1, unique=True), nights=nights)
def test_after_any_nights_the_living_rows_are_the_last_rows_of_the_remaining_images(folder, base, nights):
    """Each night some images are added or changed, and some leave."""
    shards, tombstones = [(0, base)], []
    newest = dict.fromkeys(base)
    for row, image in enumerate(base):
        newest[image] = row
    for added, left in nights:
        first_id = sum(len(images) for _, images in shards)
        tombstones.append(([*added, *(left - added)], first_id))
        shards.append((first_id, sorted(added)))
        newest = {image: row for image, row in newest.items() if image not in left}
        newest.update({image: first_id + row for row, image in enumerate(sorted(added))})
    table = tombstones_of(folder, *tombstones)
    dead = np.concatenate([dead_rows(table, column(images), first_id) for first_id, images in shards])
    assert np.flatnonzero(~dead).tolist() == sorted(newest.values())


@settings(deadline=None, max_examples=60)
@given(files=st.lists(st.tuples(st.sets(st.text(max_size=12), max_size=8), st.integers(1, 2**62)), max_size=4))
def test_written_tombstones_are_read_back(folder, files):
    table = tombstones_of(folder, *((list(images), before) for images, before in files))
    expected = [(image, before) for images, before in files for image in images]
    assert sorted((row["image_id"], row["before_id"]) for row in table.to_pylist()) == sorted(expected)


def test_a_file_has_the_columns_that_the_manifest_schema_describes(folder):
    write_tombstones(["b", "a"], 7, folder / "one.arrow")
    with pa.OSFile(str(folder / "one.arrow")) as file:
        table = pa.ipc.open_file(file).read_all()
    assert table.schema == pa.schema([("image_id", pa.string()), ("before_id", pa.int64())])
    assert table.to_pydict() == {"image_id": ["a", "b"], "before_id": [7, 7]}


def test_equal_content_gives_equal_bytes_and_other_content_gives_other_bytes(folder):
    def written(images, before_id: int) -> bytes:
        write_tombstones(images, before_id, folder / "bytes.arrow")
        return (folder / "bytes.arrow").read_bytes()

    orders = {written(images, 9) for images in itertools.permutations(["a", "bb", "ccc", "é"])}
    assert len(orders) == 1
    assert orders.isdisjoint({written(["a", "bb", "ccc", "é"], 8), written(["a", "bb", "ccc", "e"], 9)})


def test_without_tombstones_no_row_is_dead():
    table = read_tombstones([])
    assert dead_rows(table, column(["a", "b"]), 0).tolist() == [False, False]
    assert dead_rows(table, column([]), 0).tolist() == []


def test_dead_rows_of_a_chunked_column_are_returned_in_row_order(folder):
    rows = pa.chunked_array([pa.array(chunk, pa.string()) for chunk in (["a"], [], ["b", "a"], ["c"])])
    assert dead_rows(tombstones_of(folder, (["a", "c"], 4)), rows, 0).tolist() == [True, False, True, True]
