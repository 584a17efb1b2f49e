"""The gate measures the same recall as a calculation by hand, and says which stratum is below the threshold."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import faiss
import numpy as np
import pytest

from vsearch_lib.artefact.files import StoredFile
from vsearch_lib.artefact.gate_report import Recall, Stratum
from vsearch_lib.artefact.manifest import decode, encode
from vsearch_lib.publishing.gate import measure, recall_figures, refusals, report
from vsearch_lib.search.searcher import Searcher
from vsearch_lib.storage import open_store

NO_CACHE = Path("unused")  # files of a local folder are opened in place


@pytest.fixture(scope="module")
def content(small_index):
    return small_index.catalogue()


@pytest.fixture(scope="module")
def uri(tmp_path_factory):
    return tmp_path_factory.mktemp("gate")


@pytest.fixture(scope="module")
def searcher(small_index, content, uri):
    return Searcher(open_store(str(uri)), small_index.build(uri, content), cache=NO_CACHE)


def test_an_index_that_visits_every_row_recalls_everything_after_rescoring(searcher, content):
    stratum = measure(searcher, content.vectors[:25])
    assert stratum.queries == 25
    assert {depth: value.mean for depth, value in stratum.rescored.items()} == {1: 1, 10: 1, 100: 1}
    assert all(value.mean < 1 for value in stratum.raw.values())


def test_the_recall_of_codes_equals_that_of_a_faiss_index_with_the_same_codes(searcher, content, small_index, uri):
    template = faiss.read_index(str(uri / "files" / searcher.manifest.template.file))
    rows = np.flatnonzero(small_index.visible(content))
    template.add_with_ids(content.vectors[rows], rows)
    template.nprobe = template.nlist
    queries = content.vectors[:25]
    exact = np.argsort(-(queries @ content.vectors[rows].T), axis=1, kind="stable")[:, :10]
    found = template.search(queries, 10)[1]
    expected = np.mean([len(set(f) & set(rows[t])) / 10 for f, t in zip(found, exact, strict=True)])
    assert measure(searcher, queries).raw[10].mean == pytest.approx(expected, abs=0.02)


def test_with_fewer_rows_than_a_depth_recall_is_against_all_of_them(small_index, tmp_path):
    few = small_index.catalogue(rows=30, dimension=4)
    built = small_index.build(tmp_path, few, factory="IVF1,Flat", shards=1)
    stratum = measure(Searcher(open_store(str(tmp_path)), built, cache=NO_CACHE), few.vectors)
    assert [stratum.rescored[depth].mean for depth in (1, 10, 100)] == [1, 1, 1]


def test_a_bad_index_fails_and_the_refusal_names_the_stratum_and_the_shortfall(small_index, content, tmp_path):
    """With one list visited and a shortlist of three, a search cannot find most neighbours."""
    bad = Searcher(
        open_store(str(tmp_path)), small_index.build(tmp_path, content, nprobe=1, shortlist=3), cache=NO_CACHE
    )
    whole = Searcher(open_store(str(tmp_path)), small_index.build(tmp_path, content), cache=NO_CACHE)
    rng = np.random.default_rng(1)
    between = rng.normal(size=(30, content.vectors.shape[1])).astype(np.float32)
    between /= np.linalg.norm(between, axis=1, keepdims=True)
    gate = report({"whole": measure(whole, between), "crop": measure(bad, between)}, min_recall_at_10=0.95)
    assert gate.passed is False
    recall_at_10 = gate.strata["crop"].rescored[10].mean
    assert recall_at_10 < 0.95
    assert refusals(gate) == [
        f"crop: recall@10 {recall_at_10:.3f} is {0.95 - recall_at_10:.3f} below gate.min_recall_at_10 = 0.95"
    ]


def stratum(at_10: float) -> Stratum:
    values = {1: Recall(1.0, 0.0), 10: Recall(at_10, 0.012345678), 100: Recall(0.9, 0.01)}
    return Stratum(200, {depth: Recall(0.5, 0.03) for depth in (1, 10, 100)}, values)


def test_each_stratum_and_depth_has_a_recall_figure_with_its_queries_and_interval():
    figures = recall_figures({"whole": stratum(0.5), "crop": stratum(0.25)}, subject="index v1")
    names = [f"recall_at_{depth}{suffix}" for suffix in ("", "_raw") for depth in (1, 10, 100)]
    assert [(f.slice, f.metric) for f in figures] == [(name, metric) for name in ("whole", "crop") for metric in names]
    assert {(f.subject, f.n) for f in figures} == {("index v1", 200)}
    values = {(f.slice, f.metric): (f.low, f.value, f.high) for f in figures}
    assert values["crop", "recall_at_10"] == pytest.approx((0.25 - 0.012345678, 0.25, 0.25 + 0.012345678))
    assert values["crop", "recall_at_10_raw"] == pytest.approx((0.47, 0.5, 0.53))


@pytest.mark.parametrize(("recalls", "passed"), [([0.95, 0.99], True), ([0.949, 0.99], False), ([0.99, 0.2], False)])
def test_every_stratum_must_reach_the_threshold(recalls, passed):
    gate = report({"whole": stratum(recalls[0]), "crop": stratum(recalls[1])}, min_recall_at_10=0.95)
    assert gate.passed is passed
    assert bool(refusals(gate)) is not passed


@pytest.mark.parametrize("recall_at_10", [0.9499, 0.949996, 0.9499999, 0.95])
def test_the_verdict_agrees_with_the_rounded_recall_in_the_report(recall_at_10):
    gate = report({"whole": stratum(recall_at_10)}, min_recall_at_10=0.95)
    assert gate.passed is (gate.strata["whole"].rescored[10].mean >= 0.95)
    assert bool(refusals(gate)) is not gate.passed


def test_the_report_has_all_depths_raw_and_rescored_and_fits_a_manifest(small_index):
    gate = report({"whole": stratum(0.97)}, min_recall_at_10=0.95)
    assert (gate.strata["whole"].queries, gate.min_recall_at_10) == (200, 0.95)
    assert set(gate.strata["whole"].raw) == set(gate.strata["whole"].rescored) == {1, 10, 100}
    assert gate.strata["whole"].rescored[10] == Recall(0.97, 0.01235)
    file = StoredFile(f"{'ab' * 32}-t", "ab" * 32, 1)
    made = replace(small_index.manifest(file, file, []), gate=gate)
    assert decode(encode(made), "here").gate == gate


def test_a_row_that_finds_itself_does_not_count(searcher, small_index, content):
    rows = np.flatnonzero(small_index.visible(content))[:25]
    measured = measure(searcher, searcher.vectors(rows), own=rows)
    cosines = content.vectors[rows] @ content.vectors.T
    cosines[:, ~small_index.visible(content)] = -np.inf
    cosines[np.arange(25), rows] = -np.inf
    nearest = np.argmax(cosines, axis=1)
    hits = searcher.search(content.vectors[rows], 2, rescore=False)
    first_others = [next(i for i in found if i != row) for found, row in zip(hits.ids, rows, strict=True)]
    assert measured.raw[1].mean == pytest.approx(np.mean(np.array(first_others) == nearest))
    assert measured.rescored[100].mean == 1


def test_each_depth_is_measured_with_the_shortlist_of_a_search_of_that_depth(small_index, content, tmp_path):
    built = small_index.build(tmp_path, content, nprobe=8, shortlist=12)
    narrow = Searcher(open_store(str(tmp_path)), built, cache=NO_CACHE)
    rows = np.flatnonzero(small_index.visible(content))[:40]
    truth = narrow.exact(content.vectors[rows], 11).ids
    found = narrow.search(content.vectors[rows], 11).ids
    shares = [
        len((set(f) & set(t)) - {row}) / 10
        for f, t, row in zip(found.tolist(), truth.tolist(), rows.tolist(), strict=True)
    ]
    assert np.mean(shares) < 1
    assert measure(narrow, content.vectors[rows], own=rows).rescored[10].mean == pytest.approx(np.mean(shares))


@pytest.fixture(scope="module")
def placeholders(small_index):
    """600 pictures: every second row has the same one, the other rows have different ones."""
    content = small_index.catalogue()
    vectors = content.vectors.copy()
    vectors[1::2] = content.vectors[1]
    return replace(content, vectors=vectors, visibility=["public"] * 600, moderation=["ok"] * 600)


KINDS = ["IVF1,Flat", "IVF8,PQ8x4np", "OPQ8,IVF8,PQ8x4np", "IVF8_HNSW32,PQ8x4np", "IVF8,SQ8", "RR,IVF8,RaBitQ4"]


@pytest.mark.parametrize("factory", KINDS)
def test_300_identical_pictures_do_not_lower_the_recall_of_any_kind_of_index(
    small_index, placeholders, tmp_path, factory
):
    built = small_index.build(tmp_path, placeholders, factory=factory, shortlist=250)
    searcher = Searcher(open_store(str(tmp_path)), built, cache=NO_CACHE)
    rows = np.arange(0, 600, 13)  # of both halves
    scores = placeholders.vectors[rows].astype(np.float64) @ placeholders.vectors.T
    scores[np.arange(len(rows)), rows] = -np.inf  # a row that finds itself does not count
    tenth = np.sort(scores, axis=1)[:, -10]
    shares = []
    for i, answers in enumerate(searcher.search(placeholders.vectors[rows], 11).ids):
        others = [row for row in answers if row != rows[i]][:10]
        shares.append((scores[i, others] >= tenth[i] - 1e-5).mean())
    measured = measure(searcher, placeholders.vectors[rows], own=rows).rescored[10].mean
    assert measured == pytest.approx(np.mean(shares))
    assert measured > 0.99


def test_an_index_that_misses_lists_still_fails_among_identical_pictures(small_index, placeholders, tmp_path):
    """Each query is one of the different pictures, and a shortlist of 1 holds only one of its neighbours."""
    built = small_index.build(tmp_path, placeholders, nprobe=1, shortlist=1)
    searcher = Searcher(open_store(str(tmp_path)), built, cache=NO_CACHE)
    rows = np.arange(0, 600, 2)
    assert measure(searcher, placeholders.vectors[rows], own=rows).rescored[10].mean < 0.95


def test_the_only_row_of_an_index_has_no_recall(small_index, tmp_path):
    one = small_index.catalogue(rows=1, dimension=4)
    searcher = Searcher(
        open_store(str(tmp_path)), small_index.build(tmp_path, one, factory="IVF1,Flat", shards=1), cache=NO_CACHE
    )
    with pytest.raises(ValueError, match="no row can be answered"):
        measure(searcher, one.vectors, own=np.array([0]))
    assert measure(searcher, one.vectors).rescored[10] == Recall(1.0, 0.0)
