"""Evidence has the figures of both systems, and the difference query by query."""

from __future__ import annotations

import numpy as np
import pytest

from vsearch_lib.measure.comparison.evidence import JUDGED, Pair
from vsearch_lib.measure.offline.ranking import Values


def test_evidence_has_the_means_of_both_the_gain_and_the_value_of_each_query():
    queries = ["a", "b", "c"]
    values = {
        "v2": Values(queries, {"ndcg_at_10": np.array([1.0, 0.5, 0.75]), "mrr": np.array([1.0, 0.5, 1.0])}),
        "v1": Values(queries, {"ndcg_at_10": np.array([0.5, 0.5, 0.5]), "mrr": np.array([1.0, 1.0, 1.0])}),
    }
    found = Pair("v2", "v1", 1, what="index").evidence(JUDGED, "ndcg_at_10", values)
    assert (found.new, found.used, found.gain.mean, found.gain.n) == (0.75, 0.5, 0.25, 3)
    value = {(figure.metric, figure.subject): figure.value for figure in found.figures}
    assert value == {
        ("compared_queries", "all"): 3,
        ("ndcg_at_10", "index v2"): 0.75,
        ("mrr", "index v2"): pytest.approx(2.5 / 3),
        ("ndcg_at_10", "index v1"): 0.5,
        ("mrr", "index v1"): 1,
        ("ndcg_at_10_gain", "index v2 over v1"): 0.25,
    }
    assert {figure.slice for figure in found.figures} == {JUDGED}
    assert found.values == values
