"""The changes since a version are those that a comparison of the two versions shows."""

from __future__ import annotations

import shutil

import pytest
from pyspark.sql import functions as F

from vsearch_lib.lake import Lake
from vsearch_lib.lake.changes import (
    Position,
    added,
    before_and_after,
    changed,
    load_read_positions,
    position,
    save_read_positions,
)

PIXELS = """sha256 string, jpeg binary, phash string, width int, height int, mode string, brightness double,
    sharpness double"""


def pixels(lake: Lake, *letters: str, width: int = 8):
    rows = [(letter * 64, b"jpeg", "0" * 16, width, 8, "RGB", 1.0, 1.0) for letter in letters]
    return lake.spark.createDataFrame(rows, PIXELS)


def summary(rows) -> dict[str, tuple[int, bool]]:
    return {row["sha256"][0]: (row["width"], row["gone"]) for row in rows.collect()}


@pytest.fixture(scope="module")
def past(spark, tmp_path_factory) -> Lake:
    return Lake(spark, str(tmp_path_factory.mktemp("past")), "run-1")


@pytest.fixture(scope="module")
def history(past) -> list[Position]:
    """First a, b, c; then b changes twice and d is added; then a is deleted, and c is deleted and added again."""
    lake, positions = past, []

    def record() -> None:
        positions.append(position(lake, "image_pixels"))

    lake.upsert("image_pixels", pixels(lake, "a", "b", "c"))
    record()
    lake.upsert("image_pixels", pixels(lake, "b", "d", width=9))
    lake.upsert("image_pixels", pixels(lake, "b", width=10))
    record()
    lake.delete_keys("image_pixels", pixels(lake, "a", "c").select("sha256"))
    lake.upsert("image_pixels", pixels(lake, "c", width=11))
    record()
    return positions


def test_each_changed_row_is_returned_once_in_its_last_state(past, history):
    first, second, third = history
    assert summary(changed(past, "image_pixels", first, second)) == {"b": (10, False), "d": (9, False)}
    assert summary(changed(past, "image_pixels", second, third)) == {"a": (8, True), "c": (11, False)}
    everything = {"a": (8, True), "b": (10, False), "c": (11, False), "d": (9, False)}
    assert summary(changed(past, "image_pixels", first, third)) == everything


def test_without_changes_there_are_no_rows(past, history):
    rows = changed(past, "image_pixels", history[2], history[2])
    assert rows.columns == [*past.read("image_pixels").columns, "gone"]
    assert rows.isEmpty()
    assert added(past, "image_pixels", history[2], history[2]).isEmpty()


def test_only_inserted_rows_count_as_added(past, history):
    rows = added(past, "image_pixels", history[0], history[2]).collect()
    assert sorted((row["sha256"][0], row["width"]) for row in rows) == [("c", 11), ("d", 9)]


def widths(lake: Lake, since: Position, until: Position) -> dict[str, tuple[int | None, int | None]]:
    rows = before_and_after(lake, "image_pixels", F.col("width"), since, until).collect()
    assert len(rows) == len({row["sha256"] for row in rows})
    return {row["sha256"][0]: (row["before"], row["after"]) for row in rows}


def test_each_changed_row_has_its_value_before_and_after(past, history):
    first, second, third = history
    assert widths(past, first, second) == {"b": (8, 10), "d": (None, 9)}
    assert widths(past, second, third) == {"a": (8, None), "c": (8, 11)}
    assert widths(past, first, third) == {"a": (8, None), "b": (8, 10), "c": (8, 11), "d": (None, 9)}
    assert widths(past, third, third) == {}


def test_compaction_is_not_a_change(past, history):
    past.spark.sql(f"OPTIMIZE delta.`{past.path('image_pixels')}`")
    compacted = position(past, "image_pixels")
    assert compacted.version > history[2].version
    assert changed(past, "image_pixels", history[2], compacted).isEmpty()


def test_a_position_of_another_table_or_a_later_version_gives_no_changes(past, history):
    first, _, last = history
    for since in (None, Position("another", 0), Position(first.table_id, last.version + 1)):
        assert changed(past, "image_pixels", since, last) is None
        assert added(past, "image_pixels", since, last) is None
        assert before_and_after(past, "image_pixels", F.col("width"), since, last) is None


def test_a_table_that_does_not_exist_has_no_position(lake):
    assert position(lake, "image_pixels") is None


def test_a_reader_loads_the_positions_it_saved_last_unless_they_are_too_old(lake):
    save_read_positions(lake, "one", {"images": Position("i", 3)})
    save_read_positions(lake, "one", {"images": Position("i", 4), "image_pixels": Position("p", 1)})
    save_read_positions(lake, "two", {"images": Position("i", 9)})
    assert load_read_positions(lake, "one", within_hours=1) == {
        "images": Position("i", 4),
        "image_pixels": Position("p", 1),
    }
    assert load_read_positions(lake, "none", within_hours=1) == {}
    assert load_read_positions(lake, "one", within_hours=0) == {}


def test_a_table_created_again_at_the_same_path_has_another_id(lake):
    lake.upsert("image_pixels", pixels(lake, "a"))
    first = position(lake, "image_pixels")
    assert position(lake, "image_pixels") == first
    shutil.rmtree(lake.path("image_pixels"))
    lake.upsert("image_pixels", pixels(lake, "a"))
    again = position(lake, "image_pixels")
    assert (again.version, again.table_id != first.table_id) == (first.version, True)
