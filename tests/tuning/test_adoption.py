"""A point is adopted as a new version that adds only a manifest, or the gate refuses it."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from tests.support.small_model import SMALL
from vsearch_lib.artefact.manifest import OperatingPoint
from vsearch_lib.artefact.pointer import current_manifest, read_pointer
from vsearch_lib.config import load_settings
from vsearch_lib.context import StepContext
from vsearch_lib.errors import GateRefused, PublishConflict
from vsearch_lib.index.step import build_index
from vsearch_lib.publishing.gate import Queries, measure_each
from vsearch_lib.publishing.publication import publish
from vsearch_lib.publishing.step import publish_index
from vsearch_lib.publishing.strata import gate_queries
from vsearch_lib.search.searcher import Searcher
from vsearch_lib.storage import open_store
from vsearch_lib.tuning.adoption import adopt

NO_CACHE = Path("unused")  # files of a local folder are opened in place
NOW = datetime(2026, 3, 1, tzinfo=UTC)
VERSION, NEWER = "20260301T000000Z-aaaaaaaa", "20260302T000000Z-bbbbbbbb"


@pytest.fixture
def store(small_index, tmp_path):
    built = small_index.build(tmp_path, small_index.catalogue(), version=VERSION, nprobe=8, shortlist=600)
    opened = open_store(str(tmp_path))
    publish(opened, built, now=NOW)
    return opened


@pytest.fixture
def searcher(store):
    return Searcher.open(store.uri, cache=NO_CACHE)


@pytest.fixture
def queries(searcher):
    """Thirty rows of the index, and thirty vectors that are not in it, which have fewer near neighbours."""
    rows = searcher.visible_ids()[::15][:30]
    elsewhere = np.random.default_rng(5).normal(size=(30, 16)).astype(np.float32)
    elsewhere /= np.linalg.norm(elsewhere, axis=1, keepdims=True)
    return {"whole": Queries(searcher.vectors(rows), own=rows), "crop": Queries(elsewhere)}


@pytest.fixture
def adopted(store, searcher, queries):
    """A function that adopts an operating point and returns the pointer."""

    def call(nprobe: int, shortlist: int, *, min_recall_at_10: float):
        point = OperatingPoint(nprobe, shortlist)
        return adopt(store, searcher, point, queries, cache=NO_CACHE, min_recall_at_10=min_recall_at_10)

    return call


def test_a_new_version_with_the_same_files_is_served_at_the_point(store, searcher, adopted):
    before, manifest = set(store.list("files")), searcher.manifest
    pointer = adopted(6, 50, min_recall_at_10=0.5)
    after = current_manifest(store)
    assert pointer == read_pointer(store)
    assert set(store.list("files")) == before
    assert after.version == pointer.version > VERSION
    assert (after.parent, after.kind) == (VERSION, "delta")
    assert after.search == OperatingPoint(nprobe=6, shortlist=50)
    old_fields, new_fields = asdict(manifest), asdict(after)
    changed = {name for name in new_fields if new_fields[name] != old_fields[name]}
    assert changed == {"version", "parent", "kind", "search", "gate"}


def test_searchers_that_open_the_new_version_search_at_the_adopted_point(store, searcher, queries, adopted):
    adopted(2, 25, min_recall_at_10=0.1)
    vectors = queries["whole"].vectors
    after = Searcher.open(store.uri, cache=NO_CACHE).search(vectors, 10)
    expected = searcher.search(vectors, 10, nprobe=2, shortlist=25)
    assert after.ids.tolist() == expected.ids.tolist() != searcher.search(vectors, 10).ids.tolist()


def test_the_gate_report_of_the_new_version_is_measured_at_the_adopted_point(store, queries, adopted):
    adopted(2, 200, min_recall_at_10=0.1)
    gate = current_manifest(store).gate
    measured = measure_each(Searcher.open(store.uri, cache=NO_CACHE), queries)
    assert (gate.passed, gate.min_recall_at_10, set(gate.strata)) == (True, 0.1, {"whole", "crop"})
    for kind, stratum in gate.strata.items():
        for depth in (1, 10, 100):
            reported = stratum.rescored[depth].mean
            assert reported == pytest.approx(measured[kind].rescored[depth].mean, abs=1e-5)
    assert measured["crop"].rescored[10].mean < 1


def test_a_point_that_fails_only_one_kind_of_query_is_refused(store, searcher, queries, adopted):
    narrow = Searcher(store, replace(searcher.manifest, search=OperatingPoint(2, 200)), cache=NO_CACHE)
    recall = {kind: stratum.rescored[10].mean for kind, stratum in measure_each(narrow, queries).items()}
    assert recall["crop"] < recall["whole"]
    with pytest.raises(GateRefused, match=r"is not adopted: crop: recall@10 .* still served; ask for a higher recall"):
        adopted(2, 200, min_recall_at_10=(recall["crop"] + recall["whole"]) / 2)
    assert read_pointer(store).version == VERSION


def test_a_point_below_the_gate_is_refused_and_nothing_is_written(store, adopted):
    manifests, pointer = set(store.list("manifests")), read_pointer(store)
    with pytest.raises(GateRefused, match=r"nprobe 1 with shortlist 25 is not adopted: whole: recall@10 0\.\d+ is"):
        adopted(1, 25, min_recall_at_10=0.95)
    assert set(store.list("manifests")) == manifests
    assert read_pointer(store) == pointer


def test_a_version_that_was_published_meanwhile_stays(store, searcher, adopted):
    publish(store, replace(searcher.manifest, version=NEWER, parent=VERSION), now=NOW)
    with pytest.raises(PublishConflict, match=f"{NEWER} is served"):
        adopted(8, 400, min_recall_at_10=0.5)
    assert read_pointer(store).version == NEWER


def test_adoption_measures_the_same_kinds_of_query_as_publication_with_the_same_result(catalogue, draw):
    catalogue.land({f"image-{seed:02d}": draw(seed) for seed in range(30)})
    catalogue.embed()
    lake = catalogue.lake
    settings = load_settings("demo", [f"var={catalogue.settings.var}", *SMALL, "gate.queries=20"])
    job = StepContext(settings=settings, lake=lake, run_id=lake.run_id, say=lambda _: None)
    build_index(job)
    publish_index(job)
    store = open_store(settings.index.uri)
    published = current_manifest(store)
    searcher = Searcher.open(store.uri, cache=NO_CACHE)
    queries = gate_queries(searcher, lake, settings, say=pytest.fail)
    minimum = settings.gate.min_recall_at_10
    pointer = adopt(store, searcher, searcher.manifest.search, queries, cache=NO_CACHE, min_recall_at_10=minimum)
    assert current_manifest(store).version == pointer.version > published.version
    assert current_manifest(store).gate == published.gate
    assert set(published.gate.strata) == {"whole", "new", "crop"}
