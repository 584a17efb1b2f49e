"""A snapshot is opened only if its files are those that were written; its pictures are found by number."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import pytest

from tests.support.small_snapshot import grey, write_snapshot
from vsearch_lib.errors import ArtefactError, VsearchError
from vsearch_lib.examples.snapshot import DESCRIPTION
from vsearch_lib.training.local_snapshot import LocalSnapshot, open_snapshot

GROUPS = [0, 0, 2, 3, 4, 5, 5]
RELATED = [(0, 3), (4, 5)]
EXAMPLE = ([1, 1, 2], 0, 1.0)


@pytest.fixture
def folder(tmp_path) -> Path:
    write_snapshot(tmp_path, [grey(30 * n) for n in range(7)], GROUPS, [[EXAMPLE]], related=RELATED)
    return tmp_path


@pytest.fixture
def snapshot(folder, tmp_path_factory) -> LocalSnapshot:
    return open_snapshot(str(folder), "s1", tmp_path_factory.mktemp("copy"))


def test_pictures_and_their_groups_are_found_by_number(snapshot):
    assert snapshot.jpegs(np.array([6, 0, 3, 0])) == [grey(180), grey(0), grey(90), grey(0)]
    assert snapshot.groups(np.array([[6, 0], [3, 1]])).tolist() == [[5, 0], [3, 0]]


def test_groups_are_related_to_themselves_and_to_those_that_are_known_to_belong_together(snapshot):
    groups = np.array([0, 2, 3, 4, 5, 0])
    others = np.array([5, 3, 3, 0, 4])
    found = snapshot.related(groups, others)
    for (i, one), (j, other) in product(enumerate(groups), enumerate(others)):
        assert found[i, j] == (one == other or (one, other) in RELATED or (other, one) in RELATED)


def test_without_related_groups_only_equal_groups_are_related(tmp_path):
    write_snapshot(tmp_path, [grey(0), grey(9)], [0, 1], [[([0, 0, 1], 0, 1.0)]])
    assert open_snapshot(str(tmp_path), "s1", tmp_path).related(np.array([0, 1]), np.array([0, 1])).tolist() == [
        [True, False],
        [False, True],
    ]


@pytest.mark.parametrize("name", ["pictures/00001.parquet", "examples-0000/00000.parquet", "related/00000.parquet"])
def test_a_file_with_other_bytes_is_refused(folder, tmp_path, name):
    with (folder / "s1" / name).open("ab") as file:
        file.write(b"x")
    with pytest.raises(ArtefactError, match=rf"{name} is corrupted .* run build_training_examples again"):
        open_snapshot(str(folder), "s1", tmp_path)


def test_a_missing_file_is_named(folder, tmp_path):
    (folder / "s1" / "related" / "00000.parquet").unlink()
    with pytest.raises(ArtefactError, match=r"related/00000.parquet is missing"):
        open_snapshot(str(folder), "s1", tmp_path)


def test_a_snapshot_without_its_description_is_not_complete(folder, tmp_path):
    (folder / "s1" / DESCRIPTION).unlink()
    with pytest.raises(VsearchError, match="s1 is not complete or was deleted: run build_training_examples again"):
        open_snapshot(str(folder), "s1", tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ('"format": 1', '"format": 2', "format"),
        ("pictures/00000.parquet", "../../outside.parquet", r"pictures\.0\.file"),
        ('"candidates": 2', '"candidates": "many"', "candidates"),
        ("{", "", ""),
    ],
)
def test_a_description_that_is_not_one_is_refused(folder, tmp_path, old, new, field):
    description = folder / "s1" / DESCRIPTION
    description.write_text(description.read_text().replace(old, new, 1))
    with pytest.raises(ArtefactError, match=rf"does not describe a snapshot \({field}"):
        open_snapshot(str(folder), "s1", tmp_path)
