"""The page of a comparison has the difference, its slices, and the queries that moved most as pictures."""

from __future__ import annotations

import io
from types import SimpleNamespace

import numpy as np
import pyarrow.parquet as pq
import pytest

from vsearch_lib.measure.comparison import page
from vsearch_lib.measure.comparison.by_slice import gains_of
from vsearch_lib.measure.comparison.evidence import JUDGED, Pair
from vsearch_lib.measure.comparison.page import comparison_page, difference_line, evidence_table, values_file
from vsearch_lib.measure.offline.ranking import Values


@pytest.fixture
def evidence():
    """Three queries: the first is worse with the new index, the second equal, the third better."""
    queries = ["lost", "equal", "<b>won</b>"]
    values = {
        "v2": Values(queries, {"ndcg_at_10": np.array([0.25, 0.5, 1.0])}),
        "v1": Values(queries, {"ndcg_at_10": np.array([0.75, 0.5, 0.5])}),
    }
    answers = {name: {query: [(f"{name}-{query}", 0.875)] for query in queries} for name in values}
    return Pair("v2", "v1", 1, what="index").evidence(JUDGED, "ndcg_at_10", values, answers)


@pytest.fixture
def drawn(evidence, draw, monkeypatch):
    """The page, of a lake that has the picture of every image."""
    monkeypatch.setattr(page, "stored_jpegs", lambda _lake, ids: {image: draw(len(image)) for image in ids})
    slices = {query: ["tag: mug"] for query in evidence.values["v2"].queries}
    return comparison_page(SimpleNamespace(), [evidence], gains_of(evidence, slices, min_queries=2))


def test_the_table_has_both_systems_and_the_difference_below(evidence):
    table = evidence_table(evidence)
    assert table.headings == ("index", "ndcg_at_10")
    assert table.rows == [("v2", "0.583"), ("v1", "0.583")]
    assert table.note == difference_line(evidence)
    assert table.note.startswith("judged, 3 queries: a difference of +0.000 (-")
    assert table.note.endswith(": no difference that can be told")


def test_the_page_has_the_slices_and_both_rankings_of_the_queries_that_moved(evidence, drawn):
    assert "tag: mug" in drawn
    assert drawn.index("v2: ndcg_at_10 0.250, moved by -0.500") < drawn.index("v1: ndcg_at_10 0.750")
    assert drawn.index("v1: ndcg_at_10 0.750") < drawn.index("v2: ndcg_at_10 1.000, moved by +0.500")
    assert "v2-lost" in drawn
    assert "v1-lost" in drawn
    assert "v2-equal" not in drawn
    assert drawn.count("data:image/jpeg") == 2 * 2 * 2  # two queries, two systems, each query with one answer


def test_ids_on_the_page_are_escaped(drawn):
    assert "<b>won</b>" not in drawn


def test_the_file_has_the_values_of_both_systems(evidence):
    rows = pq.read_table(io.BytesIO(values_file([evidence]))).to_pylist()
    assert [(row["system"], row["slice"], row["query"], row["ndcg_at_10"]) for row in rows[:2]] == [
        ("v2", "judged", "lost", 0.25),
        ("v2", "judged", "equal", 0.5),
    ]
    assert len(rows) == 6
