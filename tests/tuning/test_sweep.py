"""The sweep measures the same recall as the gate at each operating point, on rows that everybody may see."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from vsearch_lib.artefact.manifest import OperatingPoint
from vsearch_lib.errors import UsageError
from vsearch_lib.publishing.gate import measure as gate_measure
from vsearch_lib.search.searcher import Searcher
from vsearch_lib.storage import open_store
from vsearch_lib.tuning.sweep import SHORTLISTS, grid, published_queries, sweep

NO_CACHE = Path("unused")  # files of a local folder are opened in place


@pytest.fixture(scope="module")
def uri(tmp_path_factory):
    return str(tmp_path_factory.mktemp("sweep"))


@pytest.fixture(scope="module")
def manifest(small_index, uri):
    return small_index.build(uri, small_index.catalogue(), factory="IVF12,PQ8x4np", nprobe=5, shortlist=30)


@pytest.fixture(scope="module")
def searcher(uri, manifest):
    return Searcher(open_store(uri), manifest, cache=NO_CACHE)


@pytest.fixture(scope="module")
def queries(searcher):
    return published_queries(searcher, count=40, seed=17)


@pytest.mark.parametrize("setting", [OperatingPoint(2, 101), OperatingPoint(8, 200), OperatingPoint(12, 800)])
def test_recall_at_a_point_equals_that_of_the_gate_for_a_version_served_at_that_point(
    uri, manifest, searcher, queries, setting
):
    at_point = replace(manifest, search=setting)
    expected = gate_measure(Searcher(open_store(uri), at_point, cache=NO_CACHE), queries.vectors, own=queries.own)
    (point,) = sweep(searcher, queries, [setting])
    assert point.setting == setting
    assert point.measured.recall_at_10 == expected.rescored[10]
    assert 0 < point.measured.median_ms <= point.measured.p95_ms


def test_a_shortlist_is_the_best_rows_by_their_codes_ranked_by_their_vectors(searcher, queries, small_index):
    vectors = small_index.catalogue().vectors
    by_codes = searcher.search(queries.vectors, 25, nprobe=8, rescore=False).ids
    shares = []
    for ids, query, own, truth in zip(by_codes, queries.vectors, queries.own, queries.truth, strict=True):
        best = sorted((row for row in ids if row not in (own, -1)), key=lambda row: -float(vectors[row] @ query))[:10]
        shares.append(len(set(best) & set(truth.tolist())) / 10)
    (point,) = sweep(searcher, queries, [OperatingPoint(8, 25)])
    assert point.measured.recall_at_10.mean == pytest.approx(np.mean(shares))
    assert point.measured.recall_at_10.mean < 1


def test_if_every_list_and_row_is_visited_nothing_is_missed(searcher, queries):
    narrow, wide = sweep(searcher, queries, [OperatingPoint(1, 25), OperatingPoint(12, 800)])
    assert narrow.measured.recall_at_10.mean < wide.measured.recall_at_10.mean == 1


def test_queries_and_their_true_neighbours_are_rows_that_everybody_may_see(searcher, queries, small_index):
    content = small_index.catalogue()
    shown = np.flatnonzero(small_index.visible(content))
    assert len(set(queries.own.tolist())) == 40
    assert np.isin(queries.own, shown).all()
    np.testing.assert_array_equal(queries.vectors, content.vectors[queries.own])
    cosines = content.vectors[queries.own] @ content.vectors[shown].T
    cosines[queries.own[:, None] == shown[None]] = -np.inf
    np.testing.assert_array_equal(queries.truth, shown[np.argsort(-cosines, axis=1, kind="stable")[:, :10]])


def test_the_grid_has_powers_of_two_of_lists_and_the_served_point(searcher):
    settings = grid(searcher)
    assert searcher.manifest.search == OperatingPoint(5, 30)
    assert settings.count(OperatingPoint(5, 30)) == 1
    others = [setting for setting in settings if setting != OperatingPoint(5, 30)]
    assert {setting.nprobe for setting in others} == {1, 2, 4, 8}  # of 12 lists
    assert len(others) == 4 * len(SHORTLISTS)


def test_a_served_point_that_is_in_the_grid_is_measured_once(uri, manifest):
    searcher = Searcher(open_store(uri), replace(manifest, search=OperatingPoint(4, 400)), cache=NO_CACHE)
    assert grid(searcher).count(OperatingPoint(4, 400)) == 1


def test_an_index_with_one_visible_image_cannot_be_tuned(small_index, tmp_path):
    one = small_index.catalogue(rows=4, dimension=8)
    one.visibility[:3] = ["private"] * 3
    one.visibility[3] = "public"
    built = small_index.build(tmp_path, one, factory="IVF1,Flat", shards=1)
    with pytest.raises(UsageError, match=r"v1 shows 1 image: .* needs at least 2"):
        published_queries(Searcher(open_store(str(tmp_path)), built, cache=NO_CACHE), count=5, seed=1)
