"""A snapshot of twelve pictures, whose groups and related groups the tests know."""

from __future__ import annotations

import pytest

from tests.support.small_snapshot import grey, write_snapshot
from vsearch_lib.training.local_snapshot import LocalSnapshot, open_snapshot

GROUPS = [0, 0, 2, 3, 4, 5, 5, 7, 8, 9, 10, 11]
RELATED = [(3, 5), (4, 7)]


def belong_together(one: int, other: int) -> bool:
    """Return whether two pictures are of one group or of related groups."""
    pair = GROUPS[one], GROUPS[other]
    return pair[0] == pair[1] or pair in RELATED or pair[::-1] in RELATED


@pytest.fixture(scope="package")
def snapshot(tmp_path_factory) -> LocalSnapshot:
    folder = tmp_path_factory.mktemp("snapshot")
    write_snapshot(folder, [grey(20 * n) for n in range(12)], GROUPS, [[([1, 1, 2], 0, 1.0)]], related=RELATED)
    return open_snapshot(str(folder), "s1", tmp_path_factory.mktemp("copy"))
