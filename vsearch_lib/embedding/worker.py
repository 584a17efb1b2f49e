"""How a Spark task embeds pixels. It imports no torch, so a worker process starts in a second and stays small."""

import time
from collections.abc import Iterator

import pyarrow as pa
from pyspark import Accumulator, Broadcast, TaskContext

from vsearch_lib.embedding.pending import write_pending
from vsearch_lib.embedding.views import Views
from vsearch_lib.encoder.embed import Embedded, Embedder, Jpeg
from vsearch_lib.models.load import Model

# A task reports a row for each refused picture, and a row with a null sha256 for the pictures of each file it wrote.
REPORT = """sha256 string, reason string, message string, task int, pictures int, seconds double, decode_seconds double,
    forward_seconds double"""
_REPORTED = pa.schema(
    [
        *((name, pa.string()) for name in ("sha256", "reason", "message")),
        *((name, pa.int32()) for name in ("task", "pictures")),
        *((name, pa.float64()) for name in ("seconds", "decode_seconds", "forward_seconds")),
    ]
)

_embedders: dict[tuple[object, ...], Embedder] = {}


def embed_task(
    batches: Iterator[pa.RecordBatch],
    *,
    model: Broadcast[Model],
    done: Accumulator[int],
    pending_uri: str,
    batch_size: int,
    pictures_per_file: int,
    views: Views | None = None,
) -> Iterator[pa.RecordBatch]:
    """Embed batches of (sha256, jpeg), each picture once; write the vectors to files under `pending_uri` meanwhile.

    A written file stays even if the task fails, so its vectors are not computed again. If `views` is given, a picture
    has the vectors of these views instead of its own, one after another.
    """
    embedder, task = task_embedder(model.value, batch_size), _context().partitionId()
    for hashes, jpegs in _groups(batches, pictures_per_file):
        began = time.perf_counter()
        embedded = views.embed(embedder, hashes, jpegs) if views else embedder.try_embed(jpegs)
        _write(pending_uri, hashes, embedded)
        report = [
            {"sha256": hashes[i], "reason": reason, "message": message}
            for i, (reason, message) in embedded.refused.items()
        ]
        work = {
            "task": task,
            "pictures": len(jpegs),
            "seconds": time.perf_counter() - began,
            "decode_seconds": embedded.decode_seconds,
            "forward_seconds": embedded.forward_seconds,
        }
        done.add(len(jpegs))
        yield pa.RecordBatch.from_pylist([*report, work], schema=_REPORTED)


def task_embedder(model: Model, batch_size: int) -> Embedder:
    """Return the embedder of this process, which is shared by the many tasks that Spark runs in a worker process.

    It runs on the GPU that Spark assigned to the task (`spark.task.resource.gpu.amount`), else on the task's cores.
    """
    context = _context()
    gpu = context.resources().get("gpu")
    threads = context.cpus()
    key = (tuple(sorted(model.card.files.items())), batch_size, gpu.addresses[0] if gpu else threads)
    if key not in _embedders:
        _embedders.clear()
        device = f"cuda:{gpu.addresses[0]}" if gpu else None
        _embedders[key] = model.embedder(batch_size=batch_size, threads=threads, device=device)
    return _embedders[key]


def _context() -> TaskContext:
    context = TaskContext.get()
    assert context is not None  # only tasks call this
    return context


def _groups(batches: Iterator[pa.RecordBatch], size: int) -> Iterator[tuple[list[str], list[Jpeg]]]:
    """Yield hashes and pictures, `size` at a time, without copying a picture."""
    hashes: list[str] = []
    jpegs: list[Jpeg] = []
    for batch in batches:
        hashes += batch.column("sha256").to_pylist()
        jpegs += [memoryview(value.as_buffer()).cast("B") for value in batch.column("jpeg")]
        while len(hashes) >= size:
            yield hashes[:size], jpegs[:size]
            hashes, jpegs = hashes[size:], jpegs[size:]
    if hashes:
        yield hashes, jpegs


def _write(pending_uri: str, hashes: list[str], embedded: Embedded) -> None:
    accepted = [i for i in range(len(hashes)) if i not in embedded.refused]
    if accepted:
        write_pending(pending_uri, [hashes[i] for i in accepted], embedded.vectors[accepted])
