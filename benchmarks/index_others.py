"""Measures other libraries on the same vectors: build time, bytes, and the latency at which recall@10 reaches .97.

    export PYTHONPATH=.     # recall is the project's own
    .venv/bin/python benchmarks/index_others.py hnswlib var/sift       # after make tuning-libraries
    python3.11 -m venv var/autofaiss && var/autofaiss/bin/pip install autofaiss==2.18.0 \
        faiss-cpu==1.11.0 'numpy<2' 'pyarrow<20'
    var/autofaiss/bin/python benchmarks/index_others.py autofaiss var/sift         # as much memory as it likes
    var/autofaiss/bin/python benchmarks/index_others.py autofaiss-small var/sift   # as much as our index takes

autofaiss pins another version of faiss, and so needs its own environment. This file needs numpy, faiss and the library.
The folder holds `base.npy` and `query.npy`, as `sift_vectors.py` and `benchmarks/index.py clustered` write them.
"""

import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import faiss
import numpy as np

from vsearch_lib.publishing.recall import recall

THREADS = 2
RECALL = 0.97
SHORTLIST = 400
OURS_BYTES = 45  # a vector: code, row id, and its share of the template
EFFORTS = (16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 1024)
Search = Callable[[np.ndarray, int], np.ndarray]  # queries and effort → ids of the 10 nearest


def unit(vectors: np.ndarray) -> np.ndarray:
    """Return float32 rows of length 1."""
    vectors = np.ascontiguousarray(vectors, dtype=np.float32)
    faiss.normalize_L2(vectors)
    return vectors


def exact(base: np.ndarray, queries: np.ndarray) -> np.ndarray:
    """Return the ids of the 10 nearest rows of each query."""
    index = faiss.IndexFlatIP(base.shape[1])
    index.add(base)
    return index.search(queries, 10)[1]


def report(build_seconds: float, file_bytes: int, search: Search, base: np.ndarray, queries: np.ndarray) -> None:
    """Print the smallest effort that reaches the recall, and its cost."""
    truth = exact(base, queries)
    for effort in EFFORTS:
        answers = search(queries, effort)
        reached = recall(answers, truth, queries, base.__getitem__).mean
        if reached >= RECALL:
            break
    latencies = []
    for query in queries:
        start = time.perf_counter()
        search(query[None], effort)
        latencies.append(time.perf_counter() - start)
    rows = len(base)
    print(f"{rows} vectors of {base.shape[1]}: built in {build_seconds:.0f} s, {file_bytes / rows:.0f} bytes a vector;")
    print(f"  recall@10 {reached:.3f} at effort {effort}, {1000 * np.median(latencies):.2f} ms a query")


def hnswlib_index(base: np.ndarray) -> tuple[float, int, Search]:
    """Build hnswlib's graph with the first settings that its documentation shows."""
    import hnswlib

    start = time.perf_counter()
    index = hnswlib.Index(space="ip", dim=base.shape[1])
    index.init_index(max_elements=len(base), M=16, ef_construction=200, random_seed=17)
    index.set_num_threads(THREADS)
    index.add_items(base)
    build_seconds = time.perf_counter() - start

    def search(queries: np.ndarray, effort: int) -> np.ndarray:
        index.set_ef(effort)
        return np.asarray(index.knn_query(queries, k=10, num_threads=1)[0])

    with tempfile.TemporaryDirectory() as folder:
        index.save_index(f"{folder}/index")
        return build_seconds, Path(f"{folder}/index").stat().st_size, search


def autofaiss_index(base: np.ndarray, bytes_per_vector: int) -> tuple[float, int, Search]:
    """Let autofaiss choose and build an index within a limit of memory; answers by codes are re-scored, as ours are."""
    from autofaiss import build_index

    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "vectors").mkdir()
        np.save(f"{folder}/vectors/part.npy", base)
        start = time.perf_counter()
        index, infos = build_index(
            embeddings=f"{folder}/vectors",
            index_path=f"{folder}/knn.index",
            index_infos_path=f"{folder}/infos.json",
            metric_type="ip",
            nb_cores=THREADS,
            max_index_memory_usage=f"{bytes_per_vector * len(base) // 1_000_000}MB",
            current_memory_available="16G",
        )
        build_seconds = time.perf_counter() - start
        size = Path(f"{folder}/knn.index").stat().st_size
    print({name: infos[name] for name in ("index_key", "index_param") if name in infos})
    graph = isinstance(faiss.downcast_index(index), faiss.IndexHNSW)

    def search(queries: np.ndarray, effort: int) -> np.ndarray:
        chosen = f"efSearch={effort}" if graph else f"nprobe={effort}"
        faiss.ParameterSpace().set_index_parameters(index, chosen)
        if graph:
            return np.asarray(index.search(queries, 10)[1])
        shortlists = index.search(queries, SHORTLIST)[1]
        best = [
            np.argsort(-(base[ids] @ query), kind="stable")[:10] for ids, query in zip(shortlists, queries, strict=True)
        ]
        return np.take_along_axis(shortlists, np.stack(best), axis=1)

    return build_seconds, size, search


def main(library: str, folder: Path) -> None:
    """Build with one library and print the cost."""
    faiss.omp_set_num_threads(THREADS)
    base, queries = (unit(np.load(folder / name)) for name in ("base.npy", "query.npy"))
    build = {
        "hnswlib": hnswlib_index,
        "autofaiss": partial(autofaiss_index, bytes_per_vector=10_000),
        "autofaiss-small": partial(autofaiss_index, bytes_per_vector=OURS_BYTES),
    }[library]
    build_seconds, size, search = build(base)
    faiss.omp_set_num_threads(1)
    report(build_seconds, size, search, base, queries)


if __name__ == "__main__":
    arguments: Sequence[str] = sys.argv[1:]
    main(arguments[0], Path(arguments[1]))
