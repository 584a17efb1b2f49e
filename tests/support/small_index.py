"""Writes a small index without Spark, with the functions that a Spark task calls."""

import itertools
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import faiss
import numpy as np
import pyarrow as pa

from vsearch_lib.artefact.files import StoredFile
from vsearch_lib.artefact.gate_report import GateReport
from vsearch_lib.artefact.manifest import Manifest, Measures, ModelEntry, OperatingPoint, Shard
from vsearch_lib.artefact.rows import ROWS
from vsearch_lib.artefact.tombstones import write_tombstones
from vsearch_lib.index.shard import Slot, store_file, write_shard
from vsearch_lib.index.template import Sample, train_template
from vsearch_lib.storage import Store, open_store

DAY = datetime(2026, 3, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Catalogue:
    """Rows in the order of their row ids in the index; `facts`, if given, replace what `batches` invents for a row."""

    ids: list[str]
    vectors: np.ndarray
    visibility: list[str]
    moderation: list[str]
    phash: list[str] | None = None  # None: all differ
    facts: Sequence[Mapping[str, object]] = ()


def clustered_vectors(rows: int, dimension: int, seed: int) -> np.ndarray:
    """Unit vectors about a few centres. They are exact in float16, so that storing them does not change them."""
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


def chosen(content: Catalogue, rows: Sequence[int]) -> Catalogue:
    """Some rows of a catalogue."""
    lists = ([values[row] for row in rows] for values in (content.ids, content.visibility, content.moderation))
    ids, visibility, moderation = lists
    return Catalogue(ids, content.vectors[list(rows)], visibility, moderation)


def joined(*contents: Catalogue) -> Catalogue:
    """The rows of shards, then those of deltas, in the order of their row ids."""
    return Catalogue(
        [image_id for content in contents for image_id in content.ids],
        np.concatenate([content.vectors for content in contents]),
        [v for content in contents for v in content.visibility],
        [m for content in contents for m in content.moderation],
    )


def visible(content: Catalogue) -> np.ndarray:
    """Whether each row may be an answer."""
    return (np.array(content.visibility) == "public") & (np.array(content.moderation) != "blocked")


def batches(content: Catalogue, start: int, end: int, size: int = 100) -> Sequence[pa.RecordBatch]:
    """Rows `start` to `end` (excluded) as Spark hands them over, `size` in a batch."""
    schema = pa.schema([*ROWS, ("vector", pa.list_(pa.float32()))])
    rows = [
        {
            "image_id": content.ids[i],
            "owner_id": f"owner-{i % 5}",
            "visibility": content.visibility[i],
            "moderation": content.moderation[i],
            "phash": content.phash[i] if content.phash else f"{i:016x}",
            "uploaded_at": DAY + timedelta(minutes=i),
            "tags": ["even" if i % 2 == 0 else "odd"],
            "source_uri": f"file:///pictures/{content.ids[i]}.jpg",
            "vector": content.vectors[i].tolist(),
            **(content.facts[i] if content.facts else {}),
        }
        for i in range(start, end)
    ]
    return [pa.RecordBatch.from_pylist(rows[i : i + size], schema=schema) for i in range(0, len(rows), size)]


def write_shards(
    store: Store, content: Catalogue, template: bytes, *, shards: int, name: str = "shard", first_id: int = 0
) -> tuple[Shard, ...]:
    """Write the rows, in their order, as `shards` shards of equal size."""
    edges = np.linspace(0, len(content.ids), shards + 1).astype(int)
    entries = []
    for shard, (start, end) in enumerate(itertools.pairwise(edges)):
        with tempfile.TemporaryDirectory() as folder:
            empty = faiss.deserialize_index(np.frombuffer(template, dtype=np.uint8))
            rows = iter(batches(content, int(start), int(end)))
            entries.append(
                write_shard(store, Path(folder), empty, rows, Slot(f"{name}-{shard:05d}", first_id + int(start)))
            )
    return tuple(entries)


def build(
    uri: str | Path,
    content: Catalogue,
    *,
    version: str = "v1",
    factory: str = "IVF8,PQ8x4np",
    shards: int = 3,
    nprobe: int = 8,
    shortlist: int = 10_000,
) -> Manifest:
    """Write template and shards below `uri` and return the manifest of the version."""
    store = open_store(str(uri))
    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)  # with so few vectors, several threads wait for each other longer than they work
    template = train_template(content.vectors, factory)
    faiss.omp_set_num_threads(threads)
    with tempfile.TemporaryDirectory() as folder:
        path, sample = Path(folder) / "template.faiss", Path(folder) / "template_sample.arrow"
        path.write_bytes(template)
        Sample(content.vectors, pa.chunked_array([np.arange(len(content.ids))])).write(sample)
        stored, sample_stored = store_file(store, path), store_file(store, sample)
    return manifest(
        stored,
        sample_stored,
        write_shards(store, content, template, shards=shards),
        version=version,
        factory=factory,
        dimension=content.vectors.shape[1],
        nprobe=nprobe,
        shortlist=shortlist,
    )


def build_delta(
    uri: str | Path,
    parent: Manifest,
    content: Catalogue,
    *,
    version: str,
    gone: Sequence[str] = (),
    shards: int = 1,
    dead: int = 0,
) -> Manifest:
    """Write the delta that a night adds to `parent`, and return the manifest of the version: old files and new ones.

    Args:
        content: the new and changed images.
        gone: ids of images that left the catalogue.
    """
    store = open_store(str(uri))
    first_id = parent.rows
    template = store.read(parent.template.key)
    deltas = parent.deltas
    if content.ids:
        name = f"delta-{version}"
        deltas += write_shards(store, content, template, shards=shards, name=name, first_id=first_id)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tombstones.arrow"
        write_tombstones([*content.ids, *gone], first_id, path)
        stored = store_file(store, path)
    return replace(
        parent,
        version=version,
        parent=parent.version,
        kind="delta",
        deltas=deltas,
        tombstones=(*parent.tombstones, stored),
        counts={**parent.counts, "rows": first_id + len(content.ids), "dead": dead},
    )


def without_source_uri(uri: str | Path, shard: Shard) -> Shard:
    """Write the rows of a shard again, as they were before rows had a source_uri, and return the changed shard."""
    store = open_store(str(uri))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.arrow"
        rows = pa.ipc.open_file(store.read(shard.rows_file.key)).read_all().drop_columns(["source_uri"])
        with pa.ipc.new_file(path, rows.schema) as file:
            file.write_table(rows)
        return replace(shard, rows_file=store_file(store, path))


def manifest(
    template: StoredFile,
    sample: StoredFile,
    shards: Sequence[Shard],
    *,
    version: str = "v1",
    factory: str = "IVF1,Flat",
    dimension: int = 2,
    nprobe: int = 1,
    shortlist: int = 1,
) -> Manifest:
    """A manifest with a value for every field that has no default."""
    return Manifest(
        version=version,
        parent=None,
        kind="full",
        created_at="2026-03-01T00:00:00+00:00",
        dimension=dimension,
        metric="inner_product",
        factory=factory,
        faiss_version=faiss.__version__,
        search=OperatingPoint(nprobe, shortlist),
        template=template,
        template_sample=sample,
        measures=Measures(),
        shards=tuple(shards),
        deltas=(),
        tombstones=(),
        model=ModelEntry("m1", "models", {"model.safetensors": "0" * 64}),
        preprocessing={"input_size": 64},
        tables={"images": 1, "embeddings": 1},
        table_ids={"images": "i", "embeddings": "e"},
        training_snapshot=None,
        gate=GateReport(passed=True, min_recall_at_10=0.9),
        counts={"rows": sum(shard.rows for shard in shards), "shards": len(shards), "dead": 0},
    )
