"""A shard: `codes.faiss`, `rows.arrow` and `vectors.f16`, in one row order, and the task that writes them."""

import hashlib
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import faiss
import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame

from vsearch_lib.artefact.files import StoredFile
from vsearch_lib.artefact.manifest import Shard
from vsearch_lib.artefact.rows import ROWS
from vsearch_lib.errors import ArtefactError
from vsearch_lib.spark.batches import cut_by, in_tables
from vsearch_lib.spark.session import rows_per_batch
from vsearch_lib.storage import Store, open_store

_ROWS_PER_BATCH = 4096
_ROWS_PER_ADD = 512  # faiss holds the products of these rows and all centroids: of 4,096 rows and 1,000, 16 MB
_RESULT = "name string, first_id bigint, rows bigint, " + ", ".join(
    f"{part} struct<file: string, sha256: string, bytes: bigint>" for part in ("codes", "rows_file", "vectors")
)
_FILE = pa.struct([("file", pa.string()), ("sha256", pa.string()), ("bytes", pa.int64())])
_RESULT_ARROW = pa.schema(
    [("name", pa.string()), ("first_id", pa.int64()), ("rows", pa.int64())]
    + [(part, _FILE) for part in ("codes", "rows_file", "vectors")]
)


@dataclass(frozen=True)
class Slot:
    """The name of a shard to be written, and the id of its first row."""

    name: str
    first_id: int


def store_file(store: Store, path: Path) -> StoredFile:
    """Store a local file under a name that begins with its sha256.

    A stored file of that name is the same and is written again: if no version names it, only its age protects it.
    """
    with path.open("rb") as content:
        sha256 = hashlib.file_digest(content, "sha256").hexdigest()
    stored = StoredFile(f"{sha256}-{path.name}", sha256, path.stat().st_size)
    store.write(stored.key, path)
    return stored


def slots(counts: Mapping[int, int], *, name: str, first_id: int) -> dict[int, Slot]:
    """Return the slot of each shard that has rows, in order of shard number; row ids continue from `first_id`."""
    slot_of = {}
    for shard in sorted(counts):
        slot_of[shard] = Slot(f"{name}-{shard:05d}", first_id)
        first_id += counts[shard]
    return slot_of


def write_shards(
    placed: DataFrame, *, index_uri: str, template: StoredFile, slots: Mapping[int, Slot]
) -> tuple[Shard, ...]:
    """Write the shards that have rows, one task each, and return them in order of first_id.

    `placed` comes from `in_shards` and has the columns of `ROWS` and `vector`. A task streams its rows in order of
    image_id and stores finished files by content, so a repeated task adds no file and no reader sees half a shard.
    """
    task = _writer(index_uri, template, slots)
    # partition_key is constant in a partition; it comes first because rows that were joined are in this order already.
    rows = placed.select(*ROWS.names, "vector", "shard", "partition_key")
    rows = rows.sortWithinPartitions("partition_key", "image_id")
    with rows_per_batch(placed.sparkSession, _ROWS_PER_BATCH):
        written = rows.mapInArrow(task, _RESULT).collect()
    shards = (Shard.from_fields(row.asDict(recursive=True)) for row in written)
    return tuple(sorted(shards, key=lambda shard: shard.first_id))


def write_shard(store: Store, folder: Path, index: faiss.Index, batches: Iterator[pa.RecordBatch], slot: Slot) -> Shard:
    """Write one shard and store its files, with the rows in the order in which they come.

    Args:
        store: of the index.
        folder: for the files before they are stored.
        index: a template, which gets the rows.
        batches: with the columns of `ROWS` and `vector`, float32 unit vectors.
        slot: name and first id.
    """
    next_id = slot.first_id
    codes, rows, vectors = folder / "codes.faiss", folder / "rows.arrow", folder / "vectors.f16"
    with vectors.open("wb") as vector_file, pa.ipc.new_file(rows, ROWS) as row_file:
        for table in in_tables(batches, _ROWS_PER_BATCH):
            matrix = table.column("vector").combine_chunks().flatten().to_numpy(zero_copy_only=False)
            matrix = np.ascontiguousarray(matrix.reshape(table.num_rows, -1), dtype=np.float32)
            for start in range(0, len(matrix), _ROWS_PER_ADD):
                part = matrix[start : start + _ROWS_PER_ADD]
                index.add_with_ids(part, np.arange(next_id + start, next_id + start + len(part)))
            matrix.astype("<f2").tofile(vector_file)
            # A slice is written with the padding of the table it was cut from; `take` copies, so equal rows are equal
            # bytes.
            row_file.write_table(table.select(ROWS.names).cast(ROWS).combine_chunks().take(np.arange(len(matrix))))
            next_id += len(matrix)
    faiss.write_index(index, str(codes))
    codes_file, rows_file, vectors_file = (store_file(store, path) for path in (codes, rows, vectors))
    return Shard(slot.name, slot.first_id, next_id - slot.first_id, codes_file, rows_file, vectors_file)


def _writer(
    index_uri: str, template: StoredFile, slots: Mapping[int, Slot]
) -> Callable[[Iterable[pa.RecordBatch]], Iterable[pa.RecordBatch]]:
    def write(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        store = open_store(index_uri)
        for shard, part in cut_by(batches, "shard"):
            with tempfile.TemporaryDirectory(prefix="vsearch-shard-") as folder:
                empty = _load_template(store, template, Path(folder))
                written = write_shard(store, Path(folder), empty, part, slots[shard])
            yield pa.RecordBatch.from_pylist([asdict(written)], schema=_RESULT_ARROW)

    return write


def _load_template(store: Store, template: StoredFile, folder: Path) -> faiss.Index:
    path = store.fetch(template.key, folder / "template.faiss")
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != template.sha256:
        raise ArtefactError(f"{store.uri}/{template.key} is corrupted (sha256 differs): remove it and build again")
    return faiss.deserialize_index(np.frombuffer(content, dtype=np.uint8))
