"""Saves the figures of runs in the table `metrics`."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pyarrow as pa

from vsearch_lib.figures import Figure
from vsearch_lib.lake.tables import Lake


def record(lake: Lake, figures: Sequence[Figure]) -> None:
    """Commit figures to `metrics` under the lake's run id; of figures with the same key, the last one is saved."""
    if not figures:
        return
    # Two steps of a run may measure the same thing, for example the step that builds an index and the one that
    # publishes it.
    last = {(figure.metric, figure.subject, figure.slice): figure for figure in figures}
    facts = {"run": lake.run_id, "recorded_at": datetime.now(UTC)}
    rows = [{**facts, **vars(figure), "value": float(figure.value)} for figure in last.values()]
    # Rows of an Arrow table are a part of the plan; Python rows would need a Spark job to unpack them.
    lake.upsert("metrics", lake.spark.createDataFrame(pa.Table.from_pylist(rows)))
