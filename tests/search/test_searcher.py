"""The searcher answers like brute force, never shows a hidden image, and opens no damaged file."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vsearch_lib.errors import ArtefactError
from vsearch_lib.publishing.publication import publish
from vsearch_lib.search.searcher import Searcher
from vsearch_lib.storage import open_store

NO_CACHE = Path("unused")  # files of a local folder are opened in place

FACTORIES = ["IVF8,PQ8x4np", "OPQ8,IVF8,PQ8x4np", "IVF8_HNSW32,PQ8x4np", "IVF1,Flat", "IVF8,SQ8", "IVF8,RaBitQ"]
NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def content(small_index):
    return small_index.catalogue()


@pytest.fixture(scope="module", params=[*FACTORIES, "RR,IVF8,RaBitQ4"])
def searcher(request, small_index, content, tmp_path_factory) -> Searcher:
    uri = tmp_path_factory.mktemp("searcher")
    return Searcher(open_store(str(uri)), small_index.build(uri, content, factory=request.param), cache=NO_CACHE)


@pytest.fixture(scope="module")
def queries(content) -> np.ndarray:
    """Rows of the index, including hidden ones, and vectors that are not in the index."""
    others = np.random.default_rng(9).normal(size=(10, content.vectors.shape[1])).astype(np.float32)
    return np.concatenate([content.vectors[:15], others / np.linalg.norm(others, axis=1, keepdims=True)])


def brute_force(content, small_index, queries: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    cosines = np.where(small_index.visible(content), queries.astype(np.float64) @ content.vectors.T, -np.inf)
    best = np.argsort(-cosines, axis=1, kind="stable")[:, :k]
    return best, np.take_along_axis(cosines, best, axis=1)


@pytest.mark.parametrize("k", [1, 10, 100])
def test_if_every_list_and_row_is_visited_answers_are_those_of_brute_force(searcher, content, small_index, queries, k):
    ids, cosines = brute_force(content, small_index, queries, k)
    for hits in (searcher.search(queries, k, nprobe=8, shortlist=len(content.ids)), searcher.exact(queries, k)):
        np.testing.assert_array_equal(hits.ids, ids)
        np.testing.assert_allclose(hits.scores, cosines, atol=1e-5)


def test_a_graph_over_lists_finds_as_many_lists_as_are_to_be_visited(small_index, content, queries, tmp_path):
    built = small_index.build(tmp_path, content, factory="IVF400_HNSW32,Flat")
    opened = Searcher(open_store(str(tmp_path)), built, cache=NO_CACHE)
    hits = opened.search(queries, 100, nprobe=400, shortlist=len(content.ids))
    np.testing.assert_array_equal(hits.ids, brute_force(content, small_index, queries, 100)[0])


@pytest.mark.parametrize("rescore", [True, False])
def test_hidden_rows_are_never_found_at_any_k(searcher, content, small_index, queries, rescore):
    shown = set(np.flatnonzero(small_index.visible(content)).tolist())
    assert 0 < len(shown) < len(content.ids)
    for k in (1, 10, len(shown), len(content.ids), 2 * len(content.ids)):
        answers = [searcher.search(queries, k, nprobe=8, rescore=rescore), searcher.exact(queries, k)]
        for hits in answers:
            assert set(hits.ids.ravel().tolist()) - {-1} <= shown


def test_visible_rows_are_the_public_unblocked_ones(searcher, content, small_index):
    np.testing.assert_array_equal(searcher.visible_ids(), np.flatnonzero(small_index.visible(content)))


@pytest.mark.parametrize("rescore", [True, False])
def test_answers_beyond_the_number_of_rows_have_the_id_minus_one(searcher, content, small_index, queries, rescore):
    shown = int(small_index.visible(content).sum())
    k = len(content.ids) + 50
    for hits in (searcher.search(queries, k, nprobe=8, rescore=rescore), searcher.exact(queries, k)):
        assert hits.ids.shape == hits.scores.shape == (len(queries), k)
        assert (hits.ids[:, :shown] >= 0).all()
        assert (hits.ids[:, shown:] == -1).all()
        assert np.isneginf(hits.scores[:, shown:]).all()
        assert all(len(set(row[:shown])) == shown for row in hits.ids.tolist())


@settings(deadline=None, max_examples=30)
@given(k=st.integers(1, 700), nprobe=st.integers(1, 20), shortlist=st.integers(1, 700), row=st.integers(0, 599))
def test_scores_fall_and_are_the_cosines_of_their_rows(searcher, content, k, nprobe, shortlist, row):
    hits = searcher.search(content.vectors[[row]], k, nprobe=nprobe, shortlist=shortlist)
    found = hits.ids[0] >= 0
    np.testing.assert_allclose(
        hits.scores[0, found], content.vectors[hits.ids[0, found]] @ content.vectors[row], atol=1e-5
    )
    assert (np.diff(hits.scores[0, found]) <= 0).all()
    assert not found[int(found.sum()) :].any()


def test_vectors_and_facts_are_returned_in_the_order_of_the_row_ids(searcher, content):
    rows = np.array([599, 0, 250, 200, 199, 400])  # of all three shards, and on both sides of a border
    np.testing.assert_array_equal(searcher.vectors(rows), content.vectors[rows])
    assert [fact["image_id"] for fact in searcher.describe(rows)] == [content.ids[row] for row in rows]


def test_the_manifests_operating_point_is_the_default(small_index, content, queries, tmp_path):
    built = small_index.build(tmp_path, content, nprobe=2, shortlist=15)
    opened = Searcher(open_store(str(tmp_path)), built, cache=NO_CACHE)
    expected = opened.search(queries, 10, nprobe=2, shortlist=15)
    np.testing.assert_array_equal(opened.search(queries, 10).ids, expected.ids)
    assert not np.array_equal(opened.search(queries, 10, nprobe=8, shortlist=600).ids, expected.ids)


# A small published index; each of its files is damaged.


@pytest.fixture(scope="module")
def published(small_index, tmp_path_factory) -> Path:
    uri = tmp_path_factory.mktemp("published")
    few = small_index.catalogue(rows=80, dimension=8)
    built = small_index.build(uri, few, factory="IVF2,PQ4x4np", shards=2)
    publish(open_store(str(uri)), built, now=NOW)
    return uri


def files_of(uri: Path) -> list[Path]:
    manifest = json.loads((uri / "manifests" / "v1.json").read_text())
    entries = [manifest["template"], *(s[p] for s in manifest["shards"] for p in ("codes", "rows_file", "vectors"))]
    return [uri / "manifests" / "v1.json", *(uri / "files" / entry["file"] for entry in entries)]


@pytest.mark.parametrize("which", range(8))
def test_each_truncated_removed_or_flipped_file_is_refused(published, which):
    path = files_of(published)[which]
    whole = path.read_bytes()
    size = len(whole)
    flips = sorted({0, 1, 7, size // 3, size // 2, size - 9, size - 1})
    damaged = {
        **{f"byte {i} flipped": whole[:i] + bytes([whole[i] ^ 1]) + whole[i + 1 :] for i in flips},
        **{f"{cut} bytes left": whole[:cut] for cut in (0, 1, size // 2, size - 1)},
        "one byte more": whole + b"\0",
        "removed": None,
    }
    try:
        for how, content in damaged.items():
            if content is None:
                path.unlink()
            else:
                path.write_bytes(content)
            with pytest.raises(ArtefactError) as refused:
                Searcher.open(str(published), cache=NO_CACHE)
            assert path.name in str(refused.value), how
            assert "\n" not in str(refused.value)
    finally:
        path.write_bytes(whole)
    Searcher.open(str(published), cache=NO_CACHE)


def test_a_published_index_has_eight_files_to_damage(published):
    assert len(files_of(published)) == 8
    assert all(path.is_file() for path in files_of(published))


def test_if_nothing_is_published_the_error_says_what_to_run(tmp_path):
    with pytest.raises(ArtefactError, match=r"nothing is published at .*: run vsearch run nightly"):
        Searcher.open(str(tmp_path), cache=NO_CACHE)


@pytest.mark.parametrize("part", ["codes", "rows_file", "vectors"])
def test_an_intact_file_with_other_rows_than_the_manifest_says_is_refused(small_index, tmp_path, part):
    """The checksums agree, but the manifest names a file of a longer shard."""
    few = small_index.catalogue(rows=90, dimension=8)
    built = small_index.build(tmp_path, few, factory="IVF2,PQ4x4np", shards=2)
    longer = small_index.build(tmp_path, few, factory="IVF2,PQ4x4np", shards=1)
    first, *others = built.shards
    wrong = replace(first, **{part: getattr(longer.shards[0], part)})
    built = replace(built, shards=(wrong, *others))
    with pytest.raises(ArtefactError, match="shard-00000"):
        Searcher(open_store(str(tmp_path)), built, cache=NO_CACHE)


def test_opening_and_freeing_other_searchers_leaves_an_open_one_intact(published):
    query = np.eye(8, dtype=np.float32)[:1]
    first = Searcher.open(str(published), cache=NO_CACHE)
    expected = first.search(query, 5)
    for _ in range(50):
        Searcher.open(str(published), cache=NO_CACHE).search(query, 5)
    assert (first.search(query, 5).ids == expected.ids).all()


def test_facts_are_returned_in_the_order_of_the_row_ids(searcher, content):
    rows = [599, 0, 250, 0]
    assert [fact["image_id"] for fact in searcher.describe(np.array(rows))] == [content.ids[row] for row in rows]
    assert searcher.describe(np.array([], dtype=np.int64)) == []


def test_an_image_is_found_in_its_last_living_row(small_index, content, tmp_path):
    base = small_index.build(tmp_path, content, factory="IVF1,Flat", shards=3)
    moved = small_index.chosen(content, [400, 7])  # not in the order of their ids
    delta = small_index.build_delta(tmp_path, base, moved, version="v2", gone=[content.ids[9]])
    opened = Searcher(open_store(str(tmp_path)), delta, cache=NO_CACHE)
    assert [opened.row_of(content.ids[row]) for row in (0, 599, 400, 7, 9)] == [0, 599, 600, 601, None]
    assert opened.row_of("nowhere") is None
    assert Searcher(open_store(str(tmp_path)), base, cache=NO_CACHE).row_of(content.ids[9]) == 9


@pytest.mark.parametrize("earlier", ["all", "shards", "the delta"])
def test_shards_and_deltas_from_before_there_was_a_source_uri_are_searched(small_index, content, tmp_path, earlier):
    base = small_index.build(tmp_path, content, factory="IVF1,Flat", shards=2)
    made = small_index.build_delta(tmp_path, base, small_index.chosen(content, [3, 8]), version="v2")
    old = {"all": made.all_shards, "shards": made.shards, "the delta": made.deltas}[earlier]
    shards, deltas = (
        tuple(small_index.without_source_uri(tmp_path, shard) if shard in old else shard for shard in part)
        for part in (made.shards, made.deltas)
    )
    opened = Searcher(open_store(str(tmp_path)), replace(made, shards=shards, deltas=deltas), cache=NO_CACHE)
    everything = Searcher(open_store(str(tmp_path)), made, cache=NO_CACHE)
    hits = opened.search(content.vectors[:5], 10)
    np.testing.assert_array_equal(hits.ids, everything.search(content.vectors[:5], 10).ids)
    uris = [fact["source_uri"] for fact in opened.describe(np.array([0, 300, 601]))]
    now = [f"file:///pictures/{content.ids[row]}.jpg" for row in (0, 300, 8)]
    missing = {"all": (0, 1, 2), "shards": (0, 1), "the delta": (2,)}[earlier]
    assert uris == [None if i in missing else uri for i, uri in enumerate(now)]


def test_rows_with_other_columns_are_refused(small_index, content, tmp_path, monkeypatch):
    built = small_index.build(tmp_path, content, factory="IVF1,Flat", shards=1)
    monkeypatch.setattr("vsearch_lib.artefact.rows._EARLIER", pa.schema([]))
    shard = small_index.without_source_uri(tmp_path, built.shards[0])
    with pytest.raises(ArtefactError, match="does not have the columns of an index"):
        Searcher(open_store(str(tmp_path)), replace(built, shards=(shard,)), cache=NO_CACHE)
