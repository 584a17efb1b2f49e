"""A point is adopted as a version of its own that adds nothing but a manifest, or the gate refuses it."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from vsearch_lib.artefact.manifest import OperatingPoint
from vsearch_lib.artefact.pointer import current_manifest, read_pointer
from vsearch_lib.errors import GateRefused, PublishConflict
from vsearch_lib.publishing.gate import measure as gate_measure
from vsearch_lib.publishing.publication import publish
from vsearch_lib.search.searcher import Searcher
from vsearch_lib.storage import open_store
from vsearch_lib.tuning.adoption import adopt
from vsearch_lib.tuning.sweep import published_queries, sweep

NO_CACHE = Path("unused")  # files of a local folder are opened where they lie
NOW = datetime(2026, 3, 1, tzinfo=UTC)
VERSION, NEWER = "20260301T000000Z-aaaaaaaa", "20260302T000000Z-bbbbbbbb"


@pytest.fixture
def store(small_index, tmp_path):
    built = small_index.build(tmp_path, small_index.catalogue(), version=VERSION, nprobe=8, shortlist=600)
    found = open_store(str(tmp_path))
    publish(found, built, now=NOW)
    return found


@pytest.fixture
def searcher(store):
    return Searcher.open(store.uri, cache=NO_CACHE)


@pytest.fixture
def queries(searcher):
    return published_queries(searcher, count=30, seed=17)


@pytest.fixture
def adopted(store, searcher, queries):
    """Adopt an operating point; return the pointer and the point as it was measured."""

    def call(nprobe: int, shortlist: int, *, min_recall_at_10: float):
        (point,) = sweep(searcher, queries, [OperatingPoint(nprobe, shortlist)])
        return adopt(store, searcher, point, queries, cache=NO_CACHE, min_recall_at_10=min_recall_at_10), point

    return call


def test_a_new_version_with_the_same_files_is_served_at_the_point(store, searcher, adopted):
    before, manifest = set(store.list("files")), searcher.manifest
    pointer, _ = adopted(6, 50, min_recall_at_10=0.5)
    after = current_manifest(store)
    assert pointer == read_pointer(store)
    assert set(store.list("files")) == before
    assert after.version == pointer.version > VERSION
    assert (after.parent, after.kind) == (VERSION, "delta")
    assert after.search == OperatingPoint(nprobe=6, shortlist=50)
    before_it, since = asdict(manifest), asdict(after)
    changed = {name for name in since if since[name] != before_it[name]}
    assert changed == {"version", "parent", "kind", "search", "gate"}


def test_searchers_that_open_it_search_at_the_point(store, searcher, queries, adopted):
    adopted(2, 25, min_recall_at_10=0.1)
    after = Searcher.open(store.uri, cache=NO_CACHE).search(queries.vectors, 10)
    expected = searcher.search(queries.vectors, 10, nprobe=2, shortlist=25)
    assert after.ids.tolist() == expected.ids.tolist() != searcher.search(queries.vectors, 10).ids.tolist()


def test_its_gate_report_is_of_the_point_and_not_of_what_was_served(store, queries, adopted):
    _, point = adopted(2, 200, min_recall_at_10=0.1)
    gate = current_manifest(store).gate
    measured = gate_measure(Searcher.open(store.uri, cache=NO_CACHE), queries.vectors, own=queries.own)
    assert (gate.passed, gate.min_recall_at_10, list(gate.strata)) == (True, 0.1, ["whole"])
    for depth in (1, 10, 100):
        reported = gate.strata["whole"].rescored[depth].mean
        assert reported == pytest.approx(measured.rescored[depth].mean, abs=1e-5)
    assert point.measured.recall_at_10.mean == measured.rescored[10].mean < 1


def test_a_point_below_the_gate_is_refused_and_nothing_is_written(store, adopted):
    everything, pointer = set(store.list("manifests")), read_pointer(store)
    with pytest.raises(GateRefused, match=r"nprobe 1 with shortlist 25 is not adopted: whole: recall@10 0\.\d+ is"):
        adopted(1, 25, min_recall_at_10=0.95)
    assert set(store.list("manifests")) == everything
    assert read_pointer(store) == pointer


def test_where_another_version_came_meanwhile_it_stays(store, searcher, adopted):
    publish(store, replace(searcher.manifest, version=NEWER, parent=VERSION), now=NOW)
    with pytest.raises(PublishConflict, match=f"{NEWER} is served"):
        adopted(8, 400, min_recall_at_10=0.5)
    assert read_pointer(store).version == NEWER
