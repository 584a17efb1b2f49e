"""The model: whether it is another one than before, and whether one encoder made the vectors of table and index."""

from datetime import datetime

import numpy as np
import pyarrow as pa
from pyspark.sql import functions as F

from vsearch_lib.figures import Figure
from vsearch_lib.index.catalogue import embedded
from vsearch_lib.lake import Lake
from vsearch_lib.measure.monitoring.check import Check, Verdict, no_data
from vsearch_lib.search.searcher import Searcher

SAME_MODEL, SAME_VECTORS = "model in use", "vectors of table and index"
_METRIC = "model_monitored"
_SAME_COSINE = 0.999  # of a vector and itself in half precision
_MAX_CHANGED = 0.1  # of the vectors: pictures may have been replaced since the index was built


def model_check(lake: Lake, version: str | None, since: datetime) -> Check:
    """Return the check that the model in use is the one of the last run after `since`."""
    if version is None:
        return no_data(SAME_MODEL, "there is no model")
    of_others = (F.col("metric") == _METRIC) & (F.col("run") != lake.run_id)
    earlier = lake.read("metrics").where(of_others & (F.col("recorded_at") >= F.lit(since)))
    before = earlier.agg(F.max_by("subject", F.struct("recorded_at", "run"))).collect()[0][0]
    subject = f"model {version}"
    figures = (Figure(_METRIC, 1, subject=subject),)
    if before in (None, subject):
        return Check(SAME_MODEL, Verdict.OK, version, figures)
    seen = f"{version}; it was {before.removeprefix('model ')}, whose vectors cannot be compared with its own"
    return Check(SAME_MODEL, Verdict.ALERT, seen, figures)


def vectors_check(lake: Lake, searcher: Searcher | None, *, sample: int, seed: int) -> Check:
    """Return the check that a seeded sample of live rows of the index has the vectors of the table.

    If another encoder has written vectors under the same model version, they differ from those that the index took.
    """
    living = searcher.living_ids() if searcher else np.zeros(0, dtype=np.int64)
    if searcher is None or not len(living):
        return no_data(SAME_VECTORS, "nothing is published")
    rows = np.sort(np.random.default_rng(seed).choice(living, size=min(sample, len(living)), replace=False))
    ids = pa.array([fact["image_id"] for fact in searcher.describe(rows)], pa.string())
    wanted = lake.spark.createDataFrame(pa.table({"image_id": ids}))
    table = embedded(lake, searcher.manifest.model.version, {}).select("image_id", "vector")
    found = table.join(F.broadcast(wanted), "image_id", "left_semi").collect()
    if not found:
        return no_data(SAME_VECTORS, "no row of the index has a vector in the table")
    of_index = dict(zip(ids.to_pylist(), searcher.vectors(rows), strict=True))
    cosines = [float(of_index[row["image_id"]] @ np.asarray(row["vector"], dtype=np.float32)) for row in found]
    differ = sum(cosine < _SAME_COSINE for cosine in cosines)
    share = differ / len(found)
    figure = Figure("vectors_differ_share", share, subject=f"index {searcher.manifest.version}", n=len(found))
    seen = f"{differ} of {len(found)} differ"
    return Check(SAME_VECTORS, Verdict.ALERT if share > _MAX_CHANGED else Verdict.OK, seen, (figure,))
