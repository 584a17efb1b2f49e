"""Reconciliation: every living image has one vector and one live row in the published index, and nothing else has."""

import json
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import reduce
from pathlib import Path

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from vsearch_lib.artefact.manifest import Manifest
from vsearch_lib.context import StepContext
from vsearch_lib.figures import Figure
from vsearch_lib.index.catalogue import embedded
from vsearch_lib.lake import Lake
from vsearch_lib.lake.changes import position
from vsearch_lib.lake.eligible import living_images
from vsearch_lib.measure.monitoring.check import Check, Verdict, no_data
from vsearch_lib.search.searcher import Searcher
from vsearch_lib.spark.checkpoint import checkpointed
from vsearch_lib.storage import open_store

SAME_IMAGES, WAITING = "images, vectors and rows", "changes that wait for the index"
# What may be wrong with an image, and the condition on the numbers of living images, vectors and rows of its id.
KINDS = {
    "image without vector": "images = 1 AND vectors = 0 AND refused = 0",
    "image without row": "images = 1 AND vectors = 1 AND rows = 0",
    "vector without image": "images = 0 AND vectors = 1",
    "row without image": "images = 0 AND rows > 0",
    "row without vector": "images = 1 AND vectors = 0 AND rows > 0",
    "several rows": "rows > 1",
}
_NAMED = 5  # ids in the output


def differences(lake: Lake, model_version: str, rows: DataFrame) -> DataFrame:
    """Return image_id and kind (a key of KINDS) of each image that is not the same in lake and index.

    A vector counts only if it is of the image's present pixels, and an image whose vector was refused needs none. Only
    ids and hashes are read, and they are shuffled once.

    Args:
        rows: image_id of each live row of the index.
    """
    refused = lake.read("quarantine").where("table = 'embeddings'").select(F.col("source").alias("image_id")).distinct()
    sides = {
        "images": living_images(lake).select("image_id", "sha256"),
        "vectors": embedded(lake, model_version, {}).select("image_id", "sha256"),
        "rows": rows.withColumn("sha256", F.lit(None).cast("string")),
        "refused": refused.withColumn("sha256", F.lit(None).cast("string")),
    }
    marked = [
        side.select("image_id", "sha256", *(F.lit(int(name == other)).alias(other) for other in sides))
        for name, side in sides.items()
    ]
    counted = (
        reduce(DataFrame.unionByName, marked)
        .groupBy("image_id")
        .agg(
            F.max(F.when(F.col("images") == 1, F.col("sha256"))).alias("sha256"),
            F.max(F.when(F.col("vectors") == 1, F.col("sha256"))).alias("embedded_sha256"),
            *(F.sum(name).alias(name) for name in ("images", "rows", "refused")),
        )
    )
    valid = F.expr("CAST(embedded_sha256 IS NOT NULL AND (images = 0 OR embedded_sha256 <=> sha256) AS int)")
    kinds = F.array_compact(F.array(*(F.when(F.expr(sql), F.lit(kind)) for kind, sql in KINDS.items())))
    return counted.withColumn("vectors", valid).select("image_id", F.explode(kinds).alias("kind"))


def changed_since(lake: Lake, manifest: Manifest, *, within: timedelta, now: datetime) -> DataFrame | None:
    """Return image_id and changed_at, the first time, of what changed after the index was built.

    None if the tables' histories do not show it: they are other tables, or the index is older than `within`.
    """
    if datetime.fromisoformat(manifest.created_at) < now - within:
        return None
    feeds = []
    for table in ("images", "embeddings"):
        until, since = position(lake, table), manifest.tables.get(table)
        if until is None or since is None or until.table_id != manifest.table_ids[table] or since > until.version:
            return None
        if since < until.version:
            feed = lake.read_changes(table, since + 1, until.version)
            feeds.append(feed.select("image_id", F.col("_commit_timestamp").alias("changed_at")))
    if not feeds:
        return None
    return reduce(DataFrame.union, feeds).groupBy("image_id").agg(F.min("changed_at").alias("changed_at"))


@dataclass(frozen=True)
class Reconciled:
    """What differs: kind → number of images for which nothing explains it, and what a change since the build explains.

    Attributes:
        ids: some images of `unexplained`.
        oldest: when the first of the `waiting` changes was made; None if none waits.
        file: where all are listed; None if nothing differs.
    """

    unexplained: Mapping[str, int]
    ids: list[str]
    waiting: int
    oldest: datetime | None
    file: str | None

    def checks(self, subject: str, now: datetime, *, max_hours: float) -> list[Check]:
        """Return the check that nothing differs unexplained, and the one that no change waits for too long."""
        wrong = [f"{kind}: {count}" for kind, count in self.unexplained.items() if count]
        more = "…" if sum(self.unexplained.values()) > len(self.ids) else ""
        seen = (
            f"{'; '.join(wrong)} ({', '.join(self.ids)}{more}; all are listed in {self.file})" if wrong else "the same"
        )
        hours = (now - self.oldest).total_seconds() / 3600 if self.oldest else 0.0
        counts = [
            Figure("reconciliation_differences", count, subject=subject, slice=kind)
            for kind, count in self.unexplained.items()
        ]
        late = (
            Figure("index_changes_waiting", self.waiting, subject=subject),
            Figure("index_lag_hours", hours, subject=subject),
        )
        waits = f"{self.waiting}, the first for {hours:.1f} h" if self.waiting else "none"
        return [
            Check(SAME_IMAGES, Verdict.ALERT if wrong else Verdict.OK, seen, tuple(counts)),
            Check(WAITING, Verdict.ALERT if hours > max_hours else Verdict.OK, waits, late),
        ]


def reconciliation_checks(context: StepContext, searcher: Searcher | None, now: datetime) -> list[Check]:
    """Compare the lake with the published index, and list all differences in a file beside the reports."""
    if searcher is None:
        return [no_data(SAME_IMAGES, "nothing is published"), no_data(WAITING, "nothing is published")]
    lake, manifest, settings = context.lake, searcher.manifest, context.settings
    ids = searcher.rows["image_id"].take(searcher.living_ids())
    rows = context.spark.createDataFrame(pa.table({"image_id": ids}))
    found = checkpointed(differences(lake, manifest.model.version, rows))
    within = timedelta(hours=settings.maintenance.retention_hours)
    # Nobody needs to know what has changed if nothing differs.
    changes = None if found.isEmpty() else changed_since(lake, manifest, within=within, now=now)
    if changes is None:
        marked = found.withColumn("changed_at", F.lit(None).cast("timestamp"))
    else:
        marked = checkpointed(found.join(changes, "image_id", "left"))
    reconciled = _summary(context, marked)
    return reconciled.checks(f"index {manifest.version}", now, max_hours=settings.monitoring.max_index_lag_hours)


def _summary(context: StepContext, marked: DataFrame) -> Reconciled:
    waits = F.col("changed_at").isNotNull()
    counted = marked.groupBy("kind", waits.alias("waits")).agg(F.count("*").alias("n"), F.min("changed_at").alias("at"))
    rows = counted.collect()
    unexplained = {row["kind"]: row["n"] for row in rows if not row["waits"]}
    first = marked.where(~waits).orderBy("kind", "image_id").limit(_NAMED).collect()
    return Reconciled(
        {kind: unexplained.get(kind, 0) for kind in KINDS},
        [row["image_id"] for row in first],
        sum(row["n"] for row in rows if row["waits"]),
        min((row["at"].astimezone(UTC) for row in rows if row["waits"]), default=None),
        _write_list(context, marked.orderBy(waits, "kind", "image_id")) if rows else None,
    )


def _write_list(context: StepContext, listed: DataFrame) -> str:
    name = f"differences-{context.run_id}.jsonl"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        with path.open("w") as file:
            file.writelines(_lines(listed))
        open_store(context.settings.reports.uri).write(name, path)
    return f"{context.settings.reports.uri}/{name}"


def _lines(listed: DataFrame) -> Iterator[str]:
    for row in listed.toLocalIterator():
        said = {"image_id": row["image_id"], "kind": row["kind"], "waits": row["changed_at"] is not None}
        yield f"{json.dumps(said, ensure_ascii=False)}\n"
