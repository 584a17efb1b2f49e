"""Cosines to the nearest row and to strangers are those of brute force, over rows that can be answered with."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from vsearch_lib.measure.offline.spread import NEAREST, STRANGERS, cosine_spread
from vsearch_lib.search.searcher import Searcher
from vsearch_lib.storage import open_store


@pytest.fixture(scope="module")
def content(small_index):
    return small_index.catalogue()


@pytest.fixture(scope="module")
def searcher(small_index, content, tmp_path_factory) -> Searcher:
    uri = tmp_path_factory.mktemp("spread")
    manifest = small_index.build(uri, content, factory="IVF1,Flat")
    return Searcher(open_store(str(uri)), manifest, cache=Path("unused"))


@pytest.fixture(scope="module")
def cosines(small_index, content) -> np.ndarray:
    """Cosines of all pairs of rows that can be answered with, -1 for a row and itself."""
    shown = content.vectors[small_index.visible(content)].astype(np.float64)
    return np.where(np.eye(len(shown), dtype=bool), -1, shown @ shown.T)


def test_each_row_is_compared_with_its_nearest_other_row(searcher, cosines):
    found = cosine_spread(searcher, seed=3)[NEAREST]
    assert len(found) == min(500, len(cosines))
    nearest = cosines.max(axis=1)
    if len(found) == len(cosines):
        np.testing.assert_allclose(np.sort(found), np.sort(nearest), atol=2e-3)
    assert np.abs(found[:, None] - nearest[None]).min(axis=1).max() < 2e-3


def test_strangers_are_other_rows_and_farther_apart(searcher, cosines):
    found = cosine_spread(searcher, seed=3)
    pairs = cosines[~np.eye(len(cosines), dtype=bool)]
    assert np.median(found[STRANGERS]) == pytest.approx(np.median(pairs), abs=0.1)
    assert (found[STRANGERS] <= cosines.max() + 2e-3).all()
    assert np.median(found[STRANGERS]) < np.median(found[NEAREST])


def test_the_sample_depends_on_the_seed(searcher):
    first, same, other = (cosine_spread(searcher, seed=seed)[STRANGERS] for seed in (3, 3, 4))
    np.testing.assert_array_equal(first, same)
    assert not np.array_equal(first, other)
