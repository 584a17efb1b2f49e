"""Measure the version that this run built at the gate, and publish it if it passes; the pointer moves last."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from vsearch_lib.artefact.manifest import Manifest, Measured, Measures
from vsearch_lib.context import StepContext
from vsearch_lib.errors import GateRefused
from vsearch_lib.figures import Figure
from vsearch_lib.index.candidate import read_candidate, save_refusal
from vsearch_lib.publishing import gate as gates
from vsearch_lib.publishing.publication import publish
from vsearch_lib.publishing.retention import collect
from vsearch_lib.publishing.strangers import measure_strangers
from vsearch_lib.publishing.strata import gate_queries, newest
from vsearch_lib.search.searcher import Searcher
from vsearch_lib.storage import open_store


def publish_index(context: StepContext) -> list[Figure]:
    """Publish this run's candidate if its recall passes the gate; without a candidate there is nothing to publish."""
    settings = context.settings
    store = open_store(settings.index.uri)
    candidate = read_candidate(store, context.run_id)
    if candidate is None:
        context.say("publish_index: this run built no version; the served version stays")
        return []
    searcher = Searcher(store, candidate, cache=settings.cache)
    queries = gate_queries(searcher, context.lake, settings, say=context.say)
    strata = gates.measure_each(searcher, queries)
    report = gates.report(strata, min_recall_at_10=settings.gate.min_recall_at_10)
    if not report.passed:
        save_refusal(store, candidate)
        raise GateRefused(
            f"index {candidate.version} is not published: {'; '.join(gates.refusals(report))}; "
            "the served version stays; raise index.nprobe or index.shortlist, or look at the embeddings"
        )
    strangers = measure_strangers(searcher, seed=settings.index.seed)
    manifest = replace(_measured(searcher, settings.gate.queries), gate=report, strangers=strangers)
    pointer = publish(store, manifest, now=datetime.now(UTC))
    context.made["index"] = pointer.version
    context.say(f"publish_index: {pointer.version} is served from {settings.index.uri}")
    subject = f"index {pointer.version}"
    return [
        Figure("index_rows", candidate.rows, subject=subject),
        Figure("index_rows_dead", searcher.dead, subject=subject),
        Figure("index_bytes_per_vector", searcher.bytes_per_vector, subject=subject),
        Figure(
            "index_bytes", sum(file.bytes for shard in candidate.all_shards for file in shard.files), subject=subject
        ),
        *gates.recall_figures(strata, subject=subject),
    ]


def _measured(searcher: Searcher, sample: int) -> Manifest:
    """Return the manifest with its counts and measures; a new template has the measures of this version."""
    manifest, visible = searcher.manifest, searcher.visible_ids()
    now = Measured(
        rows=len(searcher.rows) - searcher.dead,
        imbalance=round(searcher.imbalance, 4),
        quantization_error=round(searcher.quantization_error(newest(searcher, sample)), 6),
    )
    counts = {**manifest.counts, "rows": manifest.rows, "dead": searcher.dead, "visible": len(visible)}
    return replace(manifest, measures=Measures(manifest.measures.template or now, now), counts=counts)


def collect_index(context: StepContext) -> list[Figure]:
    """Keep `index.retained_versions` versions and files younger than `index.unused_hours`; delete the rest."""
    index = context.settings.index
    unused_for = timedelta(hours=index.unused_hours)
    now = datetime.now(UTC)
    store, canary = open_store(index.uri), context.settings.serving.canary.version
    deleted = collect(store, keep=index.retained_versions, unused_for=unused_for, now=now, canary=canary)
    context.say(
        f"collect_index: {len(deleted.versions)} versions and {deleted.files} files deleted, {deleted.bytes} bytes"
    )
    return [Figure("index_files_deleted", deleted.files), Figure("index_bytes_deleted", deleted.bytes)]
