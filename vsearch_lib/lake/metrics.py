"""Figures of runs, kept in `metrics`."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pyarrow as pa

from vsearch_lib.figures import Figure
from vsearch_lib.lake.tables import Lake


def record(lake: Lake, figures: Sequence[Figure]) -> None:
    """Commit figures to `metrics` under the lake's run; of several with one key the last holds."""
    if not figures:
        return
    # Two steps of a run may measure the same: one that builds an index, and one that publishes it.
    last = {(figure.metric, figure.subject, figure.slice): figure for figure in figures}
    facts = {"run": lake.run_id, "recorded_at": datetime.now(UTC)}
    rows = [{**facts, **vars(figure), "value": float(figure.value)} for figure in last.values()]
    # Rows that come in columns are a part of the plan; others would take Spark's first job of a session to unpack.
    lake.upsert("metrics", lake.spark.createDataFrame(pa.Table.from_pylist(rows)))
