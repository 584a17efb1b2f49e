"""Gate the version that this run built, and publish it: the pointer moves last, or not at all."""

from datetime import UTC, datetime

import numpy as np
from pyspark.sql import functions as F

from vsearch_lib.encoder.pixels import crop_jpeg
from vsearch_lib.encoder.registry import load_model
from vsearch_lib.errors import GateRefused
from vsearch_lib.index import gate as gates
from vsearch_lib.index.manifest import PARTS, bytes_of, rows_of
from vsearch_lib.index.publication import publish, read_candidate
from vsearch_lib.job import Figure, Job, main
from vsearch_lib.serving.searcher import Searcher
from vsearch_lib.storage import open_store
from vsearch_lib.vectors import RowIds, Vectors

CROP_SHARES = (0.5, 0.8)  # of a picture's sides


def run(job: Job) -> list[Figure]:
    """Publish this run's candidate where its recall passes; without a candidate there is nothing new to publish."""
    store = open_store(job.settings.index.uri)
    candidate = read_candidate(store, job.run_id)
    if candidate is None:
        job.say("publish_index: this run built no version; what is served stays")
        return []
    searcher = Searcher(store, candidate)
    rng = np.random.default_rng(job.settings.index.seed)
    visible = searcher.visible_ids()
    sample = np.sort(rng.choice(visible, size=min(job.settings.gate.queries, len(visible)), replace=False))
    queries = {"whole": searcher.vectors(sample), "crop": _crops(job, searcher, sample, rng)}
    strata = {name: gates.measure(searcher, vectors) for name, vectors in queries.items()}
    report = gates.report(strata, min_recall_at_10=job.settings.gate.min_recall_at_10)
    if not report["passed"]:
        raise GateRefused(
            f"index {candidate['version']} is not published: {'; '.join(gates.refusals(report))}; "
            "what was served goes on; raise index.nprobe or index.shortlist, or look at the embeddings"
        )
    pointer = publish(store, {**candidate, "gate": report}, now=datetime.now(UTC))
    job.say(f"publish_index: {pointer.version} is served from {job.settings.index.uri}")
    stored = sum(bytes_of(candidate, part) for part in PARTS)
    figures = [
        Figure("index_rows", rows_of(candidate)),
        Figure("index_bytes_per_vector", searcher.bytes_per_vector),
        Figure("index_bytes", stored),
    ]
    for name, stratum in strata.items():
        figures += [Figure(f"recall_at_{at}", stratum.rescored[at].mean, name) for at in gates.DEPTHS]
        figures += [Figure(f"recall_at_{at}_raw", stratum.raw[at].mean, name) for at in gates.DEPTHS]
    return figures


def _crops(job: Job, searcher: Searcher, sample: RowIds, rng: np.random.Generator) -> Vectors:
    """Return vectors of a random part of each sampled picture: what a person cuts out to search with."""
    ids = [fact["image_id"] for fact in searcher.describe(sample)]
    images = job.lake.read("images").where(F.col("image_id").isin(ids)).select("image_id", "sha256")
    pixels = images.join(job.lake.read("image_pixels").select("sha256", "jpeg"), "sha256")
    crops = []
    for row in pixels.sort("image_id").collect():
        share = rng.uniform(*CROP_SHARES)
        left, top = rng.uniform(0, 1 - share, size=2)
        crops.append(crop_jpeg(bytes(row["jpeg"]), left=left, top=top, share=share))
    model = load_model(job.settings.models.uri, searcher.manifest["model"]["version"])
    return model.embedder(batch_size=job.settings.embedding.batch_size).embed(crops)


if __name__ == "__main__":
    main(run)
