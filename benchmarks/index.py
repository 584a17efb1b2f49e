"""Measures the sharded index beside one faiss index that is trained on the same sample and holds the same vectors.

    .venv/bin/python ../shared/tools/sift_vectors.py var/sift          # about 0.7 million real vectors
    .venv/bin/python benchmarks/index.py clustered var/clustered       # a million of 256 dimensions, about centres
    .venv/bin/python benchmarks/index.py measure var/sift

The vectors are in Delta tables and `build_index` builds the index. A separate process measures an open index's memory.
Last, ten deltas of 1 % new and .5 % deleted images are compared with a compaction.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import functions as F

from vsearch_lib.artefact.manifest import Manifest, Measured, Measures
from vsearch_lib.artefact.pointer import current_manifest
from vsearch_lib.config import Settings, load_settings
from vsearch_lib.context import StepContext
from vsearch_lib.encoder.network import untrained
from vsearch_lib.index.candidate import read_candidate
from vsearch_lib.index.step import build_index
from vsearch_lib.index.template import train_template, training_sample
from vsearch_lib.lake import Lake
from vsearch_lib.models.registration import register
from vsearch_lib.models.registry import recipe_of
from vsearch_lib.publishing.publication import publish
from vsearch_lib.publishing.recall import recall
from vsearch_lib.search.searcher import Searcher
from vsearch_lib.spark.session import start_session
from vsearch_lib.storage import open_store
from vsearch_lib.ticker import every

# The vectors are given, so that any model will do.
SMALL = ("model.backbone=small", "model.weights=none", "training.epochs=1")
SHARDS = 8
QUERIES = 1_000
CENTRES = 5_000
NIGHTS = 10
TURNS = 3
QUERY_TURNS = 20
POINTS = ((32, 100), (32, 200), (64, 200), (64, 400), (128, 400), (128, 800))  # nprobe, shortlist


def unit(vectors: np.ndarray) -> np.ndarray:
    """Return float32 rows of length 1."""
    vectors = vectors.astype(np.float32)
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)


def clustered(folder: Path, rows: int = 1_000_000, dimension: int = 256) -> None:
    """Write base vectors and queries about the same centres, spread along few directions, as embeddings are."""
    rng = np.random.default_rng(17)
    centres = rng.normal(size=(CENTRES, dimension)).astype(np.float32)
    spread = rng.normal(size=(32, dimension)).astype(np.float32)
    made = []
    for start in range(0, rows + QUERIES, 100_000):
        count = min(100_000, rows + QUERIES - start)
        # A third of a centre's length along the common directions: groups touch, but remain distinct.
        noise = rng.normal(size=(count, 32)).astype(np.float32) @ spread * 0.06
        noise += 0.06 * rng.normal(size=(count, dimension)).astype(np.float32)
        made.append(unit(centres[rng.integers(0, CENTRES, count)] + noise))
    vectors = np.concatenate(made)
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "base.npy", vectors[:rows])
    np.save(folder / "query.npy", vectors[rows:])


def fill(lake: Lake, folder: Path, version: str, vectors: np.ndarray, first: int) -> None:
    """Write images, numbered from `first`, and their vectors, as ingestion and embedding write them."""
    file = folder / f"vectors-{first}.parquet"
    names = [f"image-{number:09d}" for number in range(first, first + len(vectors))]
    offsets = np.arange(len(vectors) + 1, dtype=np.int32) * vectors.shape[1]
    column = pa.ListArray.from_arrays(pa.array(offsets), pa.array(vectors.ravel()))
    pq.write_table(pa.table({"image_id": names, "vector": column}), file, row_group_size=50_000)
    rows = lake.spark.read.parquet(str(file)).withColumn("sha256", F.sha2("image_id", 256))
    lake.insert_new("embeddings", rows.withColumn("model_version", F.lit(version)))
    moment = F.lit("2026-11-01").cast("timestamp")
    day = F.lit("2026-11-01").cast("date")
    dates = F.struct(*(day.alias(n) for n in ("file", "owner_id", "uploaded_at", "tags", "visibility", "moderation")))
    facts = {
        "owner_id": F.concat(F.lit("owner-"), F.substring("image_id", -4, 4)), "uploaded_at": moment,
        "upload_date": day, "tags": F.array(F.lit("a"), F.lit("b")),
        "visibility": F.lit("public"), "moderation": F.lit("ok"),
        "source_uri": F.col("image_id"), "phash": F.substring("sha256", 1, 16), "width": F.lit(256),
        "height": F.lit(256), "mode": F.lit("RGB"), "deleted_at": F.lit(None).cast("timestamp"),
        "said_on": dates.withField("deleted", F.lit(None).cast("date")),
    }  # fmt: skip
    lake.insert_new("images", rows.select("image_id", "sha256").withColumns(facts))


@contextmanager
def peak_memory(peaks: dict[int, int]) -> Iterator[None]:
    """Fill `peaks` with the peak private memory of each Python worker of Spark: process id → bytes.

    Workers are forked from a daemon, and share the memory that it loaded and that they only read.
    """

    def look() -> None:
        for process in Path("/proc").glob("[0-9]*"):
            try:
                parent = (process / "stat").read_text().rsplit(")", 1)[1].split()[1]
                if b"-m\0vsearch_lib.spark.daemon\0" not in Path("/proc", parent, "cmdline").read_bytes():
                    continue
                lines = (process / "smaps_rollup").read_text().splitlines()
            except OSError:
                continue
            own = sum(1024 * int(line.split()[1]) for line in lines if line.startswith("Private"))
            peaks[int(process.name)] = max(own, peaks.get(int(process.name), 0))

    with every(0.05, look):
        yield


def seconds(action: Callable[..., Any], *arguments: Any, **named: Any) -> tuple[float, Any]:
    """Return how long `action` takes, and what it returns."""
    start = time.perf_counter()
    result = action(*arguments, **named)
    return time.perf_counter() - start, result


def build(settings: Settings, lake: Lake, run_id: str, *, compact: bool = False) -> Manifest:
    """Run the job, publish what it built without a gate, and return the manifest."""
    store = open_store(settings.index.uri)
    job = StepContext(settings=settings, lake=lake, run_id=run_id, say=lambda line: print(f"  {line}"))
    build_index(job, compact=compact)
    candidate = read_candidate(store, run_id)
    assert candidate is not None
    searcher = Searcher(store, candidate, cache=settings.cache)
    now = Measured(len(searcher.rows) - searcher.dead, searcher.imbalance, quantization_error=0.0)
    measures = Measures(candidate.measures.template or now, now)
    counts = {**candidate.counts, "rows": len(searcher.rows), "dead": searcher.dead}
    publish(store, replace(candidate, measures=measures, counts=counts), now=datetime.now(UTC))
    return current_manifest(store)


def compare(settings: Settings, again: list[Settings], lake: Lake, vectors: np.ndarray, queries: np.ndarray) -> None:
    """Build, and print the figures beside those of one faiss index of the same sample and vectors.

    The first build runs before Java has warmed up; after it builds and faiss take turns.
    """
    memory: dict[int, int] = {}
    with peak_memory(memory):
        first, manifest = seconds(build, settings, lake, "full")
    searcher = Searcher(open_store(settings.index.uri), manifest, cache=settings.cache)
    rows = len(searcher.rows)
    base = vectors[[int(name[len("image-") :]) for name in searcher.rows["image_id"].to_pylist()]]
    stored = lake.read("embeddings").select("image_id", "vector")
    lists = faiss.extract_index_ivf(faiss.index_factory(base.shape[1], manifest.factory)).nlist
    wanted = lists * settings.index.train_vectors_per_list
    sample = training_sample(stored, wanted=wanted, total=rows, seed=settings.index.seed).vectors
    print(f"{rows} vectors of {base.shape[1]}, {manifest.factory}, {SHARDS} shards; build_index {first:.1f} s")
    for settings_of_turn in again:
        build_seconds, _ = seconds(build, settings_of_turn, lake, "again")
        plain = faiss.index_factory(base.shape[1], manifest.factory, faiss.METRIC_INNER_PRODUCT)
        train, _ = seconds(plain.train, sample)
        add, _ = seconds(plain.add, base)
        our_train, template = seconds(train_template, sample, manifest.factory)
        single = faiss.deserialize_index(np.frombuffer(template, dtype=np.uint8))
        our_add, _ = seconds(single.add, base)
        print(f"build_index {build_seconds:.1f} s; faiss trains {train:.1f} and adds {add:.1f} s:", end=" ")
        print(f"{(train + add) / build_seconds:.2f} times its vectors a second;", end=" ")
        print(f"trained as we do, {our_train:.1f} and {our_add:.1f} s:", end=" ")
        print(f"{(our_train + our_add) / build_seconds:.2f} times")
    shard_bytes = max(sum(file.bytes for file in shard.files) for shard in manifest.shards)
    allowed = 2 * shard_bytes + manifest.template.bytes
    print(f"a task's own memory: {max(memory.values()) / 1e6:.0f} MB at most", end="")
    print(f", 2 x a shard and the template {allowed / 1e6:.0f} MB")
    ours, alone = searcher.search(queries, 100, nprobe=64, rescore=False), _search(single, queries, 100, nprobe=64)
    same = np.mean([len(set(a) & set(b)) for a, b in zip(ours.ids, alone[1], strict=True)]) / 100
    print(f"the sharded index's first 100 by codes are those of one index: {same:.4f}", end="")
    print(f", greatest difference of a score {np.abs(np.sort(ours.scores) - np.sort(alone[0])).max():.1e}")
    _, truth = faiss.knn(queries, base, 10, faiss.METRIC_INNER_PRODUCT)
    truth_of_stored = searcher.exact(queries, 10).ids
    for nprobe, shortlist in POINTS:
        point = {"nprobe": nprobe, "shortlist": shortlist}
        mine, theirs = [], []
        for turn in np.array_split(queries, QUERY_TURNS):
            mine += [seconds(searcher.search, query[None], 10, **point) for query in turn]
            theirs += [seconds(_rescored, single, base, query[None], **point) for query in turn]
        answers = np.concatenate([hits.ids for _, hits in mine])
        ours_ms, theirs_ms = (1000 * float(np.median([t for t, _ in timed])) for timed in (mine, theirs))
        reached = recall(answers, truth, queries, base.__getitem__).mean
        print(f"nprobe {nprobe:>3}, shortlist {shortlist:>3}: recall@10 {reached:.3f}", end=" ")
        of_stored = recall(answers, truth_of_stored, queries, searcher.vectors).mean
        print(f"({of_stored:.3f} of what is exact on the stored halves),", end=" ")
        print(f"{ours_ms:.2f} ms, one index {theirs_ms:.2f} ms: {ours_ms / theirs_ms:.2f} times", end="")
        rescored = np.concatenate([_rescored(plain, base, query[None], **point) for query in queries])
        print(f"; as faiss trains, recall@10 {recall(rescored, truth, queries, base.__getitem__).mean:.3f}")


def _search(index: faiss.Index, queries: np.ndarray, k: int, *, nprobe: int) -> tuple[np.ndarray, np.ndarray]:
    return index.search(queries, k, params=faiss.SearchParametersIVF(nprobe=nprobe))


def _rescored(index: faiss.Index, base: np.ndarray, query: np.ndarray, nprobe: int, shortlist: int) -> np.ndarray:
    _, ids = _search(index, query, shortlist, nprobe=nprobe)
    order = np.argsort(-(base[ids[0]] @ query[0]), kind="stable")[:10]
    return ids[:, order]


def nights(settings: Settings, lake: Lake, folder: Path, version: str, new: np.ndarray, queries: np.ndarray) -> None:
    """Publish ten nights of changes, and print their recall and bytes beside those of a compaction."""
    store = open_store(settings.index.uri)
    full = current_manifest(store)
    first = int(full.counts["rows"])
    # Half a percent each night, no image twice: 5 % at the end.
    leaving = np.random.default_rng(5).permutation(first)[: first // 20]
    for night, (part, gone) in enumerate(
        zip(np.array_split(new, NIGHTS), np.array_split(leaving, NIGHTS), strict=True)
    ):
        start = first + night * len(part)
        fill(lake, folder, version, part, start)
        deleted = [(f"image-{number:09d}",) for number in gone]
        deleted_rows = lake.spark.createDataFrame(deleted, "image_id string")
        lake.upsert(
            "images", lake.read("images").join(deleted_rows, "image_id").withColumn("deleted_at", F.current_timestamp())
        )
        before = set(current_manifest(store).files)
        elapsed, manifest = seconds(build, settings, lake, f"night-{night}")
        uploaded = sum(file.bytes for file in manifest.files if file not in before)
        whole = sum(file.bytes for file in full.files)
        print(f"night {night}: {elapsed:.1f} s, {uploaded} bytes, {uploaded / whole:.1%} of a full version's")
    old = Searcher(store, manifest, cache=settings.cache)
    rebuilt = Searcher(store, build(settings, lake, "rebuilt", compact=True), cache=settings.cache)
    for nprobe, shortlist in POINTS[2:4]:
        point = {"nprobe": nprobe, "shortlist": shortlist}
        reached = [
            recall(s.search(queries, 10, **point).ids, s.exact(queries, 10).ids, queries, s.vectors).mean
            for s in (old, rebuilt)
        ]
        print(f"nprobe {nprobe}, shortlist {shortlist}: recall@10 {reached[0]:.4f}, {reached[1]:.4f} when folded in")
    names = [searcher.rows["image_id"].to_pylist() for searcher in (old, rebuilt)]
    for searcher, ids in zip((old, rebuilt), names, strict=True):
        print(f"  {searcher.dead} dead of {len(ids)} rows, {len(searcher.visible_ids())} answered")


def opened(index_uri: str, queries_file: str) -> None:
    """Print the memory that an open index takes in this process, in bytes a vector."""
    pa.scalar("")  # with its first scalar pyarrow imports pandas: 27 MB that do not grow with the index
    before = _memory()
    searcher = Searcher.open(index_uri, cache=Path(tempfile.gettempdir()))
    searcher.search(np.load(queries_file), 10)
    after = _memory()
    rows = len(searcher.rows)
    print(json.dumps({name: (after[name] - before[name]) / rows for name in after}))


def _memory() -> dict[str, float]:
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()[1:]
    bytes_of = {line.split(":")[0]: 1024 * int(line.split()[1]) for line in lines}
    return {"anonymous": bytes_of["Anonymous"], "resident": bytes_of["Rss"]}


def measure(source: Path) -> None:
    """Measure one set of vectors."""
    vectors, queries = unit(np.load(source / "base.npy")), unit(np.load(source / "query.npy"))
    known = len(vectors) * 10 // 11
    with tempfile.TemporaryDirectory(prefix="vsearch-bench-") as name:
        folder = Path(name)
        chosen = [f"var={folder}", f"index.shards={SHARDS}", f"model.dimension={vectors.shape[1]}"]
        settings = load_settings("local", [*chosen, *SMALL, "index.factory=auto"])
        recipe = recipe_of(settings)
        version = "m1"
        encoder = untrained(recipe.backbone, dimension=recipe.dimension, seed=1)
        register(settings.models.uri, encoder, version=version, recipe=recipe, run_id="bench")
        lake = Lake(start_session(settings, "bench"), settings.lake.uri, "bench")
        np.random.default_rng(3).shuffle(vectors)
        fill(lake, folder, version, vectors[:known], 0)
        turns = (f"index.uri={folder}/turn-{turn}" for turn in range(TURNS))
        again = [load_settings("local", [*chosen, *SMALL, "index.factory=auto", turn]) for turn in turns]
        compare(settings, again, lake, vectors, queries)
        np.save(folder / "queries.npy", queries)
        alone = [sys.executable, __file__, "opened", settings.index.uri, str(folder / "queries.npy")]
        print(
            "bytes a vector in memory:",
            subprocess.run(alone, capture_output=True, text=True, check=True).stdout.strip(),
        )
        nights(settings, lake, folder, version, vectors[known:], queries)
        lake.spark.stop()


if __name__ == "__main__":
    if sys.argv[1] == "opened":
        opened(sys.argv[2], sys.argv[3])
    else:
        {"clustered": clustered, "measure": measure}[sys.argv[1]](Path(sys.argv[2]))
