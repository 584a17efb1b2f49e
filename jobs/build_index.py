"""Build a candidate version of the index from the current model's vectors: a template, then shards."""

import tempfile
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import faiss
from pyspark import StorageLevel
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from vsearch_lib.encoder.registry import CARD, Card, current_model
from vsearch_lib.errors import VsearchError
from vsearch_lib.index.factory import choose_factory
from vsearch_lib.index.manifest import Manifest, digest
from vsearch_lib.index.publication import save_candidate
from vsearch_lib.index.published import current_manifest, read_pointer
from vsearch_lib.index.shard import StoredFile, shard_of, store_file, write_shards
from vsearch_lib.index.template import train_template, training_sample
from vsearch_lib.job import Figure, Job, main, version_of
from vsearch_lib.storage import open_store

INPUTS = ("images", "embeddings")


def run(job: Job) -> list[Figure]:
    """Build a version where the tables, the model or the index's settings moved since the one being served."""
    settings = job.settings
    store = open_store(settings.index.uri)
    card = current_model(settings)
    tables = {table: job.lake.version(table) for table in INPUTS}
    rows = _rows(job, card).persist(StorageLevel.DISK_ONLY)
    counts = {int(row["shard"]): int(row["count"]) for row in rows.groupBy("shard").count().collect()}
    total = sum(counts.values())
    if not total:
        raise VsearchError(f"{card.version} has embedded no living image: run ingest_images and embed_images first")
    dimension = card.dimension
    factory = choose_factory(total, dimension) if settings.index.factory == "auto" else settings.index.factory
    wanted = {
        "tables": tables,
        "factory": factory,
        "search": {"nprobe": settings.index.nprobe, "shortlist": settings.index.shortlist},
        "shards": len(counts),
        "model": card.version,
    }
    if _described(current_manifest(store)) == wanted:
        job.say("build_index: the served index was made from the same tables, model and settings; nothing to build")
        return []
    lists = faiss.extract_index_ivf(faiss.index_factory(dimension, factory)).nlist
    sample = training_sample(
        rows, wanted=lists * settings.index.train_vectors_per_list, total=total, seed=settings.index.seed
    )
    with tempfile.TemporaryDirectory(prefix="vsearch-template-") as folder:
        path = Path(folder) / "template.faiss"
        path.write_bytes(train_template(sample, factory))
        template = store_file(store, path, path.name)
    first_ids = {shard: sum(n for other, n in counts.items() if other < shard) for shard in counts}
    shards = write_shards(rows, index_uri=settings.index.uri, template=template, first_ids=first_ids)
    rows.unpersist()
    if sum(shard["rows"] for shard in shards) != total:
        raise VsearchError(f"shards hold {sum(shard['rows'] for shard in shards)} rows of {total}: build again")
    served = read_pointer(store)
    manifest = _manifest(job, card, template, shards, dimension, wanted, served.version if served else None)
    save_candidate(store, job.run_id, manifest)
    return [Figure("index_rows", total), Figure("index_lists", lists), Figure("template_sample", len(sample))]


def _rows(job: Job, card: Card) -> DataFrame:
    images = job.lake.read("images").where("deleted_at IS NULL AND moderation != 'blocked'")
    vectors = job.lake.read("embeddings").where(F.col("model_version") == card.version)
    joined = images.join(vectors.select("image_id", "sha256", "vector"), ["image_id", "sha256"])
    return joined.withColumn("shard", shard_of(job.settings.index.shards))


def _described(manifest: Manifest | None) -> dict[str, Any] | None:
    """Return what a served version was made from, in the terms that decide whether to build again."""
    if manifest is None:
        return None
    return {
        "tables": manifest["tables"],
        "factory": manifest["factory"],
        "search": manifest["search"],
        "shards": len(manifest["shards"]),
        "model": manifest["model"]["version"],
    }


def _manifest(
    job: Job,
    card: Card,
    template: StoredFile,
    shards: list[dict[str, Any]],
    dimension: int,
    wanted: dict[str, Any],
    parent: str | None,
) -> Manifest:
    models = open_store(job.settings.models.uri)
    files = {**card.files, CARD: digest(models.read(f"{card.version}/{CARD}"))}
    return {
        "version": version_of(job.run_id),
        "parent": parent,
        "kind": "full",
        "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "dimension": dimension,
        "metric": "inner_product",
        "factory": wanted["factory"],
        "faiss_version": faiss.__version__,
        "search": wanted["search"],
        "template": asdict(template),
        "shards": shards,
        "deltas": [],
        "tombstones": [],
        "model": {"version": card.version, "uri": job.settings.models.uri, "files": files},
        "preprocessing": {"stored_side": job.settings.image.size, **asdict(card.recipe)},
        "tables": wanted["tables"],
        "training_snapshot": card.training_snapshot,
        "gate": {"passed": False, "strata": {}},
        "counts": {"rows": sum(shard["rows"] for shard in shards), "shards": len(shards)},
    }


if __name__ == "__main__":
    main(run)
