"""A filter lets the same rows pass as a simple loop, and a search with it finds the best of them and no other."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vsearch_lib.artefact.rows import ROWS
from vsearch_lib.search import searcher as searchers
from vsearch_lib.search.filter import Admitted, Filter, admitted
from vsearch_lib.search.searcher import Searcher
from vsearch_lib.storage import open_store

NO_CACHE = Path("unused")  # files of a local folder are opened in place
DAY = datetime(2026, 3, 1, tzinfo=UTC)


def may_answer(row: dict, wanted: Filter) -> bool:
    """The rules, one by one."""
    if row["moderation"] == "blocked":
        return False
    if row["visibility"] != "public" and (wanted.viewer_id is None or row["owner_id"] != wanted.viewer_id):
        return False
    if wanted.owner_id is not None and row["owner_id"] != wanted.owner_id:
        return False
    if any(tag not in row["tags"] for tag in wanted.tags):
        return False
    if wanted.uploaded_from is not None and row["uploaded_at"] < wanted.uploaded_from:
        return False
    return wanted.uploaded_before is None or row["uploaded_at"] < wanted.uploaded_before


owners, words = st.sampled_from(["ann", "bob", "", "é"]), st.sampled_from(["red", "blue", "red ", "", "ä"])
moments = st.builds(lambda minutes: DAY + timedelta(minutes=minutes, microseconds=minutes), st.integers(-3, 12))
local_moments = st.builds(
    lambda moment, hours: moment.astimezone(timezone(timedelta(hours=hours))), moments, st.integers(-11, 11)
)
filters = st.builds(
    Filter,
    owner_id=st.none() | owners,
    tags=st.lists(words, max_size=3).map(tuple),
    uploaded_from=st.none() | local_moments,
    uploaded_before=st.none() | local_moments,
    viewer_id=st.none() | owners,
)
row = st.fixed_dictionaries(
    {
        "image_id": st.text(max_size=3),
        "owner_id": owners,
        "visibility": st.sampled_from(["public", "private"]),
        "moderation": st.sampled_from(["ok", "blocked", "unreviewed"]),
        "phash": st.just("0"),
        "uploaded_at": moments,
        "tags": st.lists(words, max_size=3),
    }
)


@settings(deadline=None, max_examples=200)
@given(shards=st.lists(st.lists(row, max_size=12), max_size=4), wanted=filters)
def test_a_filter_lets_the_same_rows_pass_as_the_rules(shards, wanted):
    tables = [pa.Table.from_pylist(rows, schema=ROWS) for rows in shards]
    table = pa.concat_tables([ROWS.empty_table(), *tables])
    assert admitted(table, wanted).tolist() == [may_answer(row, wanted) for rows in shards for row in rows]


@settings(deadline=None, max_examples=100)
@given(mask=st.lists(st.booleans(), max_size=70), ends=st.tuples(st.integers(0, 70), st.integers(0, 70)))
def test_admitted_rows_are_those_of_the_mask(mask, ends):
    first, last = sorted(min(end, len(mask)) for end in ends)
    passing = Admitted(np.array(mask, dtype=bool))
    assert passing.count == sum(mask)
    assert passing.ids().tolist() == [i for i, passes in enumerate(mask) if passes]
    assert passing.mask(first, last).tolist() == mask[first:last]
    if passing.selector is None:
        assert all(mask)
    else:
        assert [passing.selector.is_member(i) for i in range(len(mask))] == mask


# An index with deltas: images 0 … 299, then every fourth changes, then 30 of these again; every tenth image is gone.


@pytest.fixture(scope="module")
def rows(small_index):
    base = small_index.catalogue(rows=300)
    changed = small_index.chosen(small_index.catalogue(rows=300, seed=8), range(0, 300, 4))
    again = small_index.chosen(small_index.catalogue(rows=300, seed=9), range(0, 240, 8))
    return base, changed, again


@pytest.fixture(scope="module")
def gone(rows):
    return rows[0].ids[5::10]


@pytest.fixture(scope="module", params=["IVF8,PQ8x4np", "OPQ2,IVF4,PQ2x4np", "IVF1,Flat"])
def searcher(request, small_index, rows, gone, tmp_path_factory) -> Searcher:
    uri = tmp_path_factory.mktemp("filtered")
    base, changed, again = rows
    made = small_index.build(uri, base, factory=request.param, shards=2)
    made = small_index.build_delta(uri, made, changed, version="v2", shards=2)
    made = small_index.build_delta(uri, made, again, gone=gone, version="v3")
    return Searcher(open_store(str(uri)), made, cache=NO_CACHE)


@pytest.fixture(scope="module")
def alive(rows, gone) -> np.ndarray:
    """An image's last row lives, unless the image is gone."""
    ids = [image for content in rows for image in content.ids]
    last = {image: row for row, image in enumerate(ids)}
    return np.array([last[image] == row and image not in gone for row, image in enumerate(ids)])


@pytest.fixture(scope="module")
def vectors(rows) -> np.ndarray:
    return np.concatenate([content.vectors for content in rows])


@pytest.fixture(params=["every row scored", "lists visited"])
def way(request, monkeypatch) -> str:
    """Both ways to search with a filter, whatever the number of rows that pass."""
    monkeypatch.setattr(searchers, "_EXACT_BELOW", 10**9 if request.param == "every row scored" else -1)
    return request.param


@pytest.fixture(scope="module")
def facts(searcher) -> list[dict]:
    return searcher.rows.to_pylist()


def brute_force(facts, alive, vectors, wanted: Filter, query: np.ndarray, k: int) -> tuple[list[int], np.ndarray]:
    passing = [i for i, lives in enumerate(alive) if lives and may_answer(facts[i], wanted)]
    cosines = vectors[passing].astype(np.float64) @ query
    best = np.argsort(-cosines, kind="stable")[:k]
    return [passing[i] for i in best], cosines[best]


FILTERS = [
    Filter(),
    Filter(owner_id="owner-1"),
    Filter(owner_id="owner-1", viewer_id="owner-1"),
    Filter(tags=("even",)),
    Filter(tags=("even", "odd")),
    Filter(viewer_id="owner-3"),
    Filter(uploaded_from=DAY + timedelta(minutes=100), uploaded_before=DAY + timedelta(minutes=102)),
    Filter(uploaded_from=DAY + timedelta(minutes=299)),
    Filter(owner_id="nobody"),
    Filter(owner_id="owner-2", tags=("odd",), uploaded_before=DAY + timedelta(minutes=40), viewer_id="owner-2"),
]


def test_the_filters_of_these_tests_let_many_some_one_and_no_rows_pass(facts, alive, vectors):
    counts = [len(brute_force(facts, alive, vectors, f, vectors[0], 999)[0]) for f in FILTERS]
    assert {0, 1} < set(counts)
    assert max(counts) > 150
    assert len(set(counts)) >= 6


@pytest.mark.parametrize("wanted", FILTERS, ids=str)
def test_a_search_that_visits_every_row_finds_the_best_rows_that_pass(searcher, facts, alive, vectors, way, wanted):
    for query, k in itertools.product(vectors[[0, 77, 310, 404]], (1, 10, 400)):
        ids, cosines = brute_force(facts, alive, vectors, wanted, query, k)
        options = {"wanted": wanted, "nprobe": 8, "shortlist": 500}
        for hits in (searcher.search(query[None], k, **options), searcher.exact(query[None], k, wanted=wanted)):
            assert hits.ids.shape == hits.scores.shape == (1, k)
            assert hits.ids[0].tolist() == ids + [-1] * (k - len(ids))
            np.testing.assert_allclose(hits.scores[0, : len(ids)], cosines, atol=1e-5)
            assert np.isneginf(hits.scores[0, len(ids) :]).all()


@settings(deadline=None, max_examples=60)
@given(
    wanted=st.builds(
        Filter,
        owner_id=st.none() | st.sampled_from([f"owner-{i}" for i in range(6)]),
        tags=st.lists(st.sampled_from(["even", "odd"]), max_size=2).map(tuple),
        uploaded_from=st.none() | st.integers(0, 300).map(lambda minute: DAY + timedelta(minutes=minute)),
        viewer_id=st.none() | st.sampled_from([f"owner-{i}" for i in range(6)]),
    )
    | st.none(),
    k=st.integers(1, 900),
    nprobe=st.integers(1, 9),
    shortlist=st.integers(1, 500),
    rescore=st.booleans(),
    query=st.integers(0, 404),
    exact_below=st.sampled_from([-1, 20, 10**9]),
)
def test_dead_and_hidden_rows_are_never_found_with_any_filter_at_any_k(
    searcher, facts, alive, vectors, wanted, k, nprobe, shortlist, rescore, query, exact_below
):
    point = {"wanted": wanted, "nprobe": nprobe, "shortlist": shortlist, "rescore": rescore}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(searchers, "_EXACT_BELOW", exact_below)
        answers = [searcher.search(vectors[[query]], k, **point), searcher.exact(vectors[[query]], k, wanted=wanted)]
    for hits in answers:
        found = hits.ids[0][hits.ids[0] >= 0].tolist()
        assert len(found) == len(set(found))
        assert all(alive[i] and may_answer(facts[i], wanted or Filter()) for i in found)


def test_dead_rows_are_counted_and_not_visible(searcher, facts, alive):
    assert searcher.dead == int((~alive).sum()) == 75 + 30 + 30
    shown = [i for i, fact in enumerate(facts) if alive[i] and may_answer(fact, Filter())]
    assert searcher.visible_ids().tolist() == shown


def test_a_viewer_who_may_see_more_rows_than_everybody_does_not_visit_fewer_lists(small_index, tmp_path, monkeypatch):
    """Nearly all images are private to the viewer, so more rows pass than without a filter."""
    monkeypatch.setattr(searchers, "_EXACT_BELOW", -1)
    content = small_index.catalogue(rows=200)
    private = small_index.Catalogue(content.ids, content.vectors, ["public"] + ["private"] * 199, ["ok"] * 200)
    made = small_index.build(tmp_path, private, factory="IVF8,Flat", nprobe=1)
    searcher = Searcher(open_store(str(tmp_path)), made, cache=NO_CACHE)
    hits = searcher.search(content.vectors[[5]], 1, wanted=Filter(viewer_id="owner-0"))
    assert hits.ids.tolist() == [[5]]
    assert searcher.search(content.vectors[[5]], 1, wanted=Filter(viewer_id="owner-1")).ids[0, 0] != 5
