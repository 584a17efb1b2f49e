"""Answers of a small index to judged queries: exact ones, without the pictures that a query shows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from vsearch_lib.measure.offline import on_spark
from vsearch_lib.measure.offline.formulas import UNJUDGED, Measures, values_of
from vsearch_lib.measure.offline.labels import nearest_labels
from vsearch_lib.measure.offline.on_spark import answer_task, value_task
from vsearch_lib.measure.offline.strata import Asked, whole_pictures
from vsearch_lib.search.searcher import Searcher
from vsearch_lib.storage import open_store


@pytest.fixture(scope="module")
def content(small_index):
    catalogue = small_index.catalogue(rows=80)
    return replace(catalogue, phash=[f"{i // 2:016x}" for i in range(80)])  # every picture has a copy


@pytest.fixture(scope="module")
def index(small_index, content, tmp_path_factory):
    uri = tmp_path_factory.mktemp("answers")
    return str(uri), small_index.build(uri, content, factory="IVF1,Flat")


@pytest.fixture(scope="module")
def searcher(index) -> Searcher:
    uri, manifest = index
    return Searcher(open_store(uri), manifest, cache=Path("unused"))


def by_brute_force(small_index, content, row: int) -> list[str]:
    """All visible images by their cosine to a row, itself left out."""
    order = np.argsort(-(content.vectors @ content.vectors[row]), kind="stable")
    return [content.ids[i] for i in order if i != row and small_index.visible(content)[i]]


def test_a_whole_picture_finds_the_others_in_order_and_not_itself(small_index, content, searcher):
    judged = {"image-00002": {"image-00004": 5}, "image-00000": {"image-00002": 4}}
    rows = {image: row for row, image in enumerate(content.ids)}
    found = whole_pictures(searcher, judged, rows).rankings(searcher)
    assert list(found) == ["image-00002", "image-00000"]
    assert found["image-00002"] == by_brute_force(small_index, content, 2)
    assert found["image-00000"] == by_brute_force(small_index, content, 0)


def test_all_pictures_that_a_scene_shows_are_left_out(content, searcher):
    scene = Asked({"a + b": {}}, content.vectors[:1], [frozenset({"image-00000", "image-00001"})])
    (found,) = scene.rankings(searcher).values()
    assert {"image-00000", "image-00001"}.isdisjoint(found)
    assert len(found) == len(searcher.visible_ids()) - 2


def test_without_queries_there_are_no_rankings(content, searcher):
    assert Asked({}, content.vectors[:0], []).rankings(searcher) == {}


def test_the_nearest_picture_that_is_no_copy_gives_the_labels(small_index, content, searcher):
    truth, predicted = nearest_labels(searcher, seed=1, limit=1000)
    shown = np.flatnonzero(small_index.visible(content))
    expected = []
    for row in np.random.default_rng(1).permutation(shown):
        others = [i for i in shown if content.phash[i] != content.phash[row]]
        nearest = others[int(np.argmax(content.vectors[others] @ content.vectors[row]))]
        expected.append((frozenset([("even", "odd")[row % 2]]), frozenset([("even", "odd")[nearest % 2]])))
    assert list(zip(truth, predicted, strict=True)) == expected


def test_a_task_ranks_the_queries_that_the_index_contains(small_index, content, index):
    uri, manifest = index
    asked = pa.RecordBatch.from_pydict({"query_image_id": ["image-00002", "unknown", "image-00000"]})
    rows = [row for batch in answer_task(manifest, uri, Path("unused"))([asked]) for row in batch.to_pylist()]
    for query, number in (("image-00002", 2), ("image-00000", 0)):
        ranked = sorted((row["rank"], row["image_id"]) for row in rows if row["query_image_id"] == query)
        assert [image for _, image in ranked] == by_brute_force(small_index, content, number)
        assert [rank for rank, _ in ranked] == list(range(1, len(ranked) + 1))
    assert {row["query_image_id"] for row in rows} == {"image-00002", "image-00000"}


def test_a_task_computes_the_formulas_block_by_block(monkeypatch):
    monkeypatch.setattr(on_spark, "_QUERIES_AT_ONCE", 2)
    grades, judged = [[5, UNJUDGED], None, [0, 3, 4]], [[5, 3], [4], [3, 4]]
    batch = pa.RecordBatch.from_pydict({"query_image_id": ["a", "b", "c"], "judged": judged, "grades": grades})
    measures = Measures((1, 10), judged_only=True)
    rows = [row for part in value_task(measures)([batch]) for row in part.to_pylist()]
    matrix = np.array([[5, UNJUDGED, UNJUDGED], [UNJUDGED] * 3, [0, 3, 4]])
    expected = values_of(matrix, np.array([[5, 3], [4, 0], [3, 4]]), measures)
    assert [row["query_image_id"] for row in rows] == ["a", "b", "c"]
    for name, of_each in expected.items():
        assert [row[name] for row in rows] == pytest.approx(of_each.tolist()), name
    assert rows[1]["mrr"] == 0
