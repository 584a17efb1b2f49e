"""Gate the version that this run built, and publish it: the pointer moves last, or not at all."""

from datetime import UTC, datetime, timedelta

import numpy as np
from pyspark.sql import functions as F

from vsearch_lib.artefact.manifest import PARTS, Manifest, bytes_of, rows_of
from vsearch_lib.context import StepContext
from vsearch_lib.encoder.pixels import crop_jpeg
from vsearch_lib.errors import GateRefused
from vsearch_lib.figures import Figure
from vsearch_lib.index.candidate import read_candidate, remember_refusal
from vsearch_lib.models.load import load_model
from vsearch_lib.publishing import gate as gates
from vsearch_lib.publishing.publication import publish
from vsearch_lib.publishing.retention import collect
from vsearch_lib.search.searcher import Searcher
from vsearch_lib.storage import open_store
from vsearch_lib.vectors import RowIds, Vectors

CROP_SHARES = (0.5, 0.8)  # of a picture's sides


def publish_index(context: StepContext) -> list[Figure]:
    """Publish this run's candidate where its recall passes; without a candidate there is nothing new to publish."""
    settings = context.settings
    store = open_store(settings.index.uri)
    candidate = read_candidate(store, context.run_id)
    if candidate is None:
        context.say("publish_index: this run built no version; what is served stays")
        return []
    searcher = Searcher(store, candidate, cache=settings.cache)
    strata = _strata(context, searcher)
    report = gates.report(strata, min_recall_at_10=settings.gate.min_recall_at_10)
    if not report["passed"]:
        remember_refusal(store, candidate)
        raise GateRefused(
            f"index {candidate['version']} is not published: {'; '.join(gates.refusals(report))}; "
            "what was served goes on; raise index.nprobe or index.shortlist, or look at the embeddings"
        )
    manifest = {**candidate, **_measured(searcher, settings.gate.queries), "gate": report}
    pointer = publish(store, manifest, now=datetime.now(UTC))
    context.made["index"] = pointer.version
    context.say(f"publish_index: {pointer.version} is served from {settings.index.uri}")
    subject = f"index {pointer.version}"
    return [
        Figure("index_rows", rows_of(candidate), subject=subject),
        Figure("index_rows_dead", searcher.dead, subject=subject),
        Figure("index_bytes_per_vector", searcher.bytes_per_vector, subject=subject),
        Figure("index_bytes", sum(bytes_of(candidate, part) for part in PARTS), subject=subject),
        *gates.recall_figures(strata, subject=subject),
    ]


def _strata(context: StepContext, searcher: Searcher) -> dict[str, gates.Stratum]:
    """Return the recall for each kind of query. A kind is left out if there is nothing that its queries could find.

    An image that is asked for needs another one to find; a crop finds its own picture.
    """
    rng = np.random.default_rng(context.settings.index.seed)
    visible = searcher.visible_ids()
    if not len(visible):
        return {}
    count = min(context.settings.gate.queries, len(visible))
    sample = np.sort(rng.choice(visible, size=count, replace=False))
    newest = _newest(searcher, visible, count)
    strata = {}
    if len(visible) > 1:
        strata["whole"] = gates.measure(searcher, searcher.vectors(sample), own=sample)
        strata["new"] = gates.measure(searcher, searcher.vectors(newest), own=newest)
    crops = _crops(context, searcher, sample, rng)
    return {**strata, **({"crop": gates.measure(searcher, crops)} if len(crops) else {})}


def _newest(searcher: Searcher, visible: RowIds, count: int) -> RowIds:
    """Return the `count` rows of `visible` that were uploaded last."""
    uploaded = np.asarray(searcher.rows["uploaded_at"].cast("int64"))[visible]
    return np.sort(visible[np.argsort(-uploaded, kind="stable")[:count]])


def _measured(searcher: Searcher, sample: int) -> dict[str, Manifest]:
    """Return measures and counts as the manifest has them: of a new template, and of what it is by now."""
    manifest, visible = searcher.manifest, searcher.visible_ids()
    now = {
        "rows": len(searcher.rows) - searcher.dead,
        "imbalance": round(searcher.imbalance, 4),
        "quantization_error": round(searcher.quantization_error(_newest(searcher, visible, sample)), 6),
    }
    counts = {**manifest["counts"], "rows": rows_of(manifest), "dead": searcher.dead, "visible": len(visible)}
    return {"measures": {"template": now, **manifest["measures"], "now": now}, "counts": counts}


def _crops(context: StepContext, searcher: Searcher, sample: RowIds, rng: np.random.Generator) -> Vectors:
    """Return vectors of a random part of each sampled picture: what a person cuts out to search with."""
    ids = [fact["image_id"] for fact in searcher.describe(sample)]
    images = context.lake.read("images").where(F.col("image_id").isin(ids)).select("image_id", "sha256")
    pixels = images.join(context.lake.read("image_pixels").select("sha256", "jpeg"), "sha256")
    crops = []
    for row in pixels.sort("image_id").collect():
        share = rng.uniform(*CROP_SHARES)
        left, top = rng.uniform(0, 1 - share, size=2)
        crops.append(crop_jpeg(bytes(row["jpeg"]), left=left, top=top, share=share))
    model = load_model(context.settings.models.uri, searcher.manifest["model"]["version"])
    return model.embedder(batch_size=context.settings.embedding.batch_size).embed(crops)


def collect_index(context: StepContext) -> list[Figure]:
    """Keep `index.retained_versions` versions and what is younger than `index.unused_hours`; delete the rest."""
    index = context.settings.index
    unused_for = timedelta(hours=index.unused_hours)
    gone = collect(open_store(index.uri), keep=index.retained_versions, unused_for=unused_for, now=datetime.now(UTC))
    context.say(f"collect_index: {len(gone.versions)} versions and {gone.files} files deleted, {gone.bytes} bytes")
    return [Figure("index_files_deleted", gone.files), Figure("index_bytes_deleted", gone.bytes)]
