"""A small index, written without Spark by the same functions that a Spark task calls."""

import itertools
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import pyarrow as pa

from vsearch_lib.index.shard import ROWS, _write_shard, store_file
from vsearch_lib.index.template import train_template
from vsearch_lib.storage import Store, open_store

DAY = datetime(2026, 3, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Catalogue:
    """Rows in the order of their ids in the index."""

    ids: list[str]
    vectors: np.ndarray
    visibility: list[str]
    moderation: list[str]


def clustered_vectors(rows: int, dimension: int, seed: int) -> np.ndarray:
    """Unit vectors about a few centres, exact in float16, so that stored and given ones are the same."""
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(8, dimension))[rng.integers(8, size=rows)] + 0.6 * rng.normal(size=(rows, dimension))
    return (points / np.linalg.norm(points, axis=1, keepdims=True)).astype(np.float16).astype(np.float32)


def catalogue(rows: int = 600, dimension: int = 16, seed: int = 3) -> Catalogue:
    """A catalogue in which every seventh row is private and every eleventh blocked."""
    return Catalogue(
        ids=[f"image-{row:05d}" for row in range(rows)],
        vectors=clustered_vectors(rows, dimension, seed),
        visibility=["private" if row % 7 == 3 else "public" for row in range(rows)],
        moderation=["blocked" if row % 11 == 5 else "ok" for row in range(rows)],
    )


def visible(content: Catalogue) -> np.ndarray:
    """The rows that may be answered."""
    return (np.array(content.visibility) == "public") & (np.array(content.moderation) != "blocked")


def batches(content: Catalogue, start: int, end: int, size: int = 100) -> Sequence[pa.RecordBatch]:
    """Rows start … end as Spark would hand them over, `size` at a time."""
    schema = pa.schema([*ROWS, ("vector", pa.list_(pa.float32()))])
    rows = [
        {
            "image_id": content.ids[i],
            "owner_id": f"owner-{i % 5}",
            "visibility": content.visibility[i],
            "moderation": content.moderation[i],
            "phash": f"{i:016x}",
            "uploaded_at": DAY + timedelta(minutes=i),
            "tags": ["even" if i % 2 == 0 else "odd"],
            "vector": content.vectors[i].tolist(),
        }
        for i in range(start, end)
    ]
    return [pa.RecordBatch.from_pylist(rows[i : i + size], schema=schema) for i in range(0, len(rows), size)]


def write_shards(store: Store, content: Catalogue, template: bytes, *, shards: int) -> list[dict[str, Any]]:
    """Write `shards` shards of equal size in the order of the rows."""
    edges = np.linspace(0, len(content.ids), shards + 1).astype(int)
    entries = []
    for shard, (start, end) in enumerate(itertools.pairwise(edges)):
        with tempfile.TemporaryDirectory() as folder:
            empty = faiss.deserialize_index(np.frombuffer(template, dtype=np.uint8))
            rows = iter(batches(content, int(start), int(end)))
            entries.append(_write_shard(store, Path(folder), empty, rows, shard, int(start)))
    return entries


def build(
    uri: str | Path,
    content: Catalogue,
    *,
    version: str = "v1",
    factory: str = "IVF8,PQ8x4np",
    shards: int = 3,
    nprobe: int = 8,
    shortlist: int = 10_000,
) -> dict[str, Any]:
    """Write template and shards below `uri` and return the manifest of the version."""
    store = open_store(str(uri))
    template = train_template(content.vectors, factory)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "template.faiss"
        path.write_bytes(template)
        stored = store_file(store, path, path.name)
    return manifest(
        asdict(stored),
        write_shards(store, content, template, shards=shards),
        version=version,
        factory=factory,
        dimension=content.vectors.shape[1],
        nprobe=nprobe,
        shortlist=shortlist,
    )


def manifest(
    template: dict[str, Any], shards: list[dict[str, Any]], *, version: str, factory: str, dimension: int, **search: int
) -> dict[str, Any]:
    """A manifest that says all that one must say."""
    return {
        "version": version,
        "parent": None,
        "kind": "full",
        "created_at": "2026-03-01T00:00:00+00:00",
        "dimension": dimension,
        "metric": "inner_product",
        "factory": factory,
        "faiss_version": faiss.__version__,
        "search": search,
        "template": template,
        "shards": shards,
        "deltas": [],
        "tombstones": [],
        "model": {"version": "m1", "uri": "models", "files": {"model.safetensors": "0" * 64}},
        "preprocessing": {"input_size": 64},
        "tables": {"images": 1, "embeddings": 1},
        "training_snapshot": None,
        "gate": {"passed": True, "min_recall_at_10": 0.9, "strata": {}},
        "counts": {"rows": sum(shard["rows"] for shard in shards)},
    }
