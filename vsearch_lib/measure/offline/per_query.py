"""The figures of each query, as a Parquet file: means hide which queries a change helps and which it hurts."""

import io
from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from vsearch_lib.measure.offline.ranking import Values


def as_parquet(values: Mapping[tuple[str, str], Values]) -> bytes:
    """Return the file: system, slice, query, and a column for each figure; null where a system has no such figure.

    Args:
        values: (system, slice) → the values of its queries.
    """
    names = list(dict.fromkeys(name for each in values.values() for name in each.of_each))
    schema = pa.schema(
        [*((name, pa.string()) for name in ("system", "slice", "query")), *((n, pa.float64()) for n in names)]
    )
    tables = []
    for (system, slice_), each in values.items():
        n = len(each.queries)
        columns = {
            "system": pa.array([system] * n),
            "slice": pa.array([slice_] * n),
            "query": pa.array(list(each.queries)),
        }
        figures = {name: pa.array(each.of_each.get(name, np.full(n, np.nan)), from_pandas=True) for name in names}
        tables.append(pa.table({**columns, **figures}).cast(schema))
    sink = io.BytesIO()
    pq.write_table(pa.concat_tables([schema.empty_table(), *tables]), sink)
    return sink.getvalue()
