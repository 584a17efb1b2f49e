"""The file of the figures of each query has a row a system, slice and query."""

from __future__ import annotations

import io

import numpy as np
import pyarrow.parquet as pq

from vsearch_lib.measure.offline.per_query import as_parquet
from vsearch_lib.measure.offline.ranking import Values


def test_each_query_has_a_row_and_a_figure_that_a_system_lacks_is_null():
    values = {
        ("m2", "all"): Values(["q1", "q2"], {"mrr": np.array([1.0, 0.5]), "map": np.array([0.25, 0.0])}),
        ("m1", "crop"): Values(["q1"], {"mrr": np.array([0.0])}),
    }
    rows = pq.read_table(io.BytesIO(as_parquet(values))).to_pylist()
    assert rows == [
        {"system": "m2", "slice": "all", "query": "q1", "mrr": 1.0, "map": 0.25},
        {"system": "m2", "slice": "all", "query": "q2", "mrr": 0.5, "map": 0.0},
        {"system": "m1", "slice": "crop", "query": "q1", "mrr": 0.0, "map": None},
    ]
