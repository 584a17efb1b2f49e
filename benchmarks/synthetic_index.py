"""A synthetic index, published as a night publishes it, but without Spark; its vectors are about centres."""

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import faiss
import numpy as np
import pyarrow as pa

from vsearch_lib.artefact.content import digest
from vsearch_lib.artefact.gate_report import GateReport
from vsearch_lib.artefact.manifest import Manifest, Measures, ModelEntry, OperatingPoint, Shard
from vsearch_lib.artefact.rows import ROWS
from vsearch_lib.artefact.tombstones import write_tombstones
from vsearch_lib.config import Settings
from vsearch_lib.index.factory import choose_factory, list_count
from vsearch_lib.index.shard import Slot, store_file, write_shard
from vsearch_lib.index.template import Sample, train_template
from vsearch_lib.models.registration import register
from vsearch_lib.models.registry import Recipe
from vsearch_lib.models.weights import initial_encoder
from vsearch_lib.publishing.publication import publish
from vsearch_lib.storage import open_store

DIMENSION = 128
SHARDS = 4
NEW_ROWS = 100  # of each later version
DAY = datetime(2026, 11, 1, tzinfo=UTC)
POINT = OperatingPoint(64, 400)


def rows_of(vectors: np.ndarray, first: int) -> Iterator[pa.RecordBatch]:
    """Yield complete rows of an index with these vectors, numbered from `first`."""
    rng = np.random.default_rng(first)
    for start in range(0, len(vectors), 50_000):
        part = vectors[start : start + 50_000]
        count, numbers = len(part), range(first + start, first + start + len(part))
        offsets = np.arange(count + 1, dtype=np.int32)
        names = [f"image-{number:09d}" for number in numbers]
        columns = {
            "image_id": names,
            "owner_id": [f"owner-{number % 5_000}" for number in numbers],
            "visibility": ["public"] * count,
            "moderation": ["ok"] * count,
            "phash": [f"{value:016x}" for value in rng.integers(0, 2**63, count)],
            "uploaded_at": pa.array([DAY] * count, ROWS.field("uploaded_at").type),
            "tags": pa.ListArray.from_arrays(2 * offsets, pa.array(["a", "b"] * count)),
            "source_uri": names,
            "vector": pa.ListArray.from_arrays(DIMENSION * offsets, pa.array(part.ravel())),
        }
        yield from pa.table(columns).to_batches()


def written_shards(uri: str, template: bytes, vectors: np.ndarray, *, first: int, count: int, name: str) -> list[Shard]:
    """Write vectors as shards whose row ids begin at `first`."""
    store, shards = open_store(uri), []
    for number, part in enumerate(np.array_split(vectors, count)):
        empty = faiss.deserialize_index(np.frombuffer(template, np.uint8))
        with tempfile.TemporaryDirectory() as folder:
            slot = Slot(f"{name}-{number:05d}", first)
            shards.append(write_shard(store, Path(folder), empty, rows_of(part, first), slot))
        first += len(part)
    return shards


def published(settings: Settings, vectors: np.ndarray) -> Manifest:
    """Publish the vectors, with a model whose vectors have as many dimensions."""
    uri, store = settings.index.uri, open_store(settings.index.uri)
    recipe = Recipe("tf_efficientnet_lite0", "packaged", DIMENSION, None, "none")
    card = register(
        settings.models.uri,
        initial_encoder(recipe, "packaged", seed=1),
        version="m1",
        recipe=recipe,
        run_id="bench",
    )
    models = open_store(settings.models.uri)
    files = {key.partition("/")[2]: digest(models.read(key)) for key in models.list("m1")}
    factory = choose_factory(len(vectors), DIMENSION)
    wanted = min(len(vectors), 100 * list_count(factory, DIMENSION))
    sample = vectors[np.random.default_rng(5).choice(len(vectors), wanted, replace=False)]
    template = train_template(sample, factory)
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / name for name in ("template.faiss", "template_sample.arrow")]
        paths[0].write_bytes(template)
        Sample(sample[:1], pa.chunked_array([np.zeros(1, np.int64)])).write(paths[1])
        stored = [store_file(store, path) for path in paths]
    shards = written_shards(uri, template, vectors, first=0, count=SHARDS, name="shard")
    manifest = Manifest(
        version="v00",
        parent=None,
        kind="full",
        created_at=DAY.isoformat(),
        dimension=DIMENSION,
        metric="inner_product",
        factory=factory,
        faiss_version=faiss.__version__,
        search=POINT,
        template=stored[0],
        template_sample=stored[1],
        measures=Measures(),
        shards=tuple(shards),
        deltas=(),
        tombstones=(),
        model=ModelEntry("m1", settings.models.uri, files),
        preprocessing={"input_size": card.preprocessing.side},
        tables={"images": 1, "embeddings": 1},
        table_ids={"images": "i", "embeddings": "e"},
        training_snapshot=None,
        gate=GateReport(passed=True, min_recall_at_10=0.0),
        counts={"rows": len(vectors), "shards": SHARDS, "dead": 0},
    )
    publish(store, manifest, now=DAY)
    return manifest


def with_delta(settings: Settings, parent: Manifest, vectors: np.ndarray, number: int) -> Manifest:
    """Return the version that a night makes: new images, and tombstones of as many."""
    store, first = open_store(settings.index.uri), parent.rows
    template = store.read(parent.template.key)
    (delta,) = written_shards(settings.index.uri, template, vectors, first=first, count=1, name=f"delta-{number}")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tombstones.arrow"
        write_tombstones([f"image-{NEW_ROWS * number + n:09d}" for n in range(NEW_ROWS)], first, path)
        tombstones = store_file(store, path)
    return replace(
        parent,
        version=f"v{number:02}",
        parent=parent.version,
        kind="delta",
        deltas=(*parent.deltas, delta),
        tombstones=(*parent.tombstones, tombstones),
        counts={**parent.counts, "rows": first + NEW_ROWS, "dead": NEW_ROWS * number},
    )
