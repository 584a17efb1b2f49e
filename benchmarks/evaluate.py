"""Measures the evaluation: many queries on Spark, and what is said of equal and of worse models.

    .venv/bin/python benchmarks/evaluate.py queries [100000]
    .venv/bin/python benchmarks/evaluate.py verdicts var

`queries` ranks nothing: it draws 100 answers and 30 judgements a query, and prints the time and the highest memory of
Spark and of its Python workers while all figures of all queries are computed, beside those of ten thousand queries.

`verdicts` takes the vectors of the published index of a demo (`make demo`) and its judged queries of the test split.
For 20 seeds it adds noise to them: as much to two models, which are then equal, and more to a third, which is then
worse.
"""

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from vsearch_lib.config import load_settings
from vsearch_lib.examples.split import images_with_split
from vsearch_lib.lake import Lake
from vsearch_lib.measure.offline.formulas import Measures
from vsearch_lib.measure.offline.judged import judged_queries
from vsearch_lib.measure.offline.on_spark import values_on_spark
from vsearch_lib.measure.offline.ranking import DEPTH, exact_rankings, measured
from vsearch_lib.paired import paired_difference
from vsearch_lib.search.searcher import Searcher
from vsearch_lib.spark.session import spark_session
from vsearch_lib.vectors import Vectors

ANSWERS, JUDGED, IMAGES = 100, 30, 1_000_000
EQUAL_NOISE, WORSE_NOISE = 0.3, 0.8  # length of the noise, relative to a unit vector
SEEDS = 20


@contextmanager
def peak_memory() -> Iterator[dict[str, float]]:
    """Sample the resident memory of all processes below this one, in GB; the highest sum is `highest`."""
    found, ended = {"highest": 0.0}, threading.Event()

    def sample() -> None:
        while not ended.wait(0.5):
            found["highest"] = max(found["highest"], _resident_gb())

    thread = threading.Thread(target=sample)
    thread.start()
    try:
        yield found
    finally:
        ended.set()
        thread.join()


def _resident_gb() -> float:
    parents, pages = {}, {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                stat = (folder / "stat").read_text().rsplit(")", 1)[1].split()
                pages[int(folder.name)] = int((folder / "statm").read_text().split()[1])
            except (OSError, IndexError):
                continue
            parents[int(folder.name)] = int(stat[1])
    mine, grown = {os.getpid()}, True
    while grown:
        children = {pid for pid, parent in parents.items() if parent in mine} - mine
        mine |= children
        grown = bool(children)
    return sum(pages.get(pid, 0) for pid in mine) * os.sysconf("SC_PAGE_SIZE") / 1e9


def queries(count: int) -> None:
    """Print time and memory for ten thousand queries and for `count`."""
    with spark_session(load_settings("demo"), "benchmark") as spark:
        for n in (10_000, count):
            with peak_memory() as memory:
                began = time.perf_counter()
                mrr = _all_figures(spark, n)
                seconds = time.perf_counter() - began
            print(
                f"{n:,} queries × {ANSWERS} answers, {JUDGED} judged: {seconds:.0f} s, {memory['highest']:.2f} GB, "
                f"mean reciprocal rank {mrr:.4f}",
                flush=True,
            )


def _all_figures(spark: SparkSession, n: int) -> float:
    query = F.col("id").cast("string").alias("query_image_id")

    def drawn(count: int) -> DataFrame:
        place = F.explode(F.sequence(F.lit(1), F.lit(count))).alias("rank")
        return (
            spark.range(n, numPartitions=16)
            .select(query, place)
            .withColumn(
                "image_id", F.pmod(F.xxhash64("query_image_id", "rank", F.lit(1)), F.lit(IMAGES)).cast("string")
            )
        )

    # The first ten judged images are among the answers: those of ranks 3, 6, 9, ...
    answered = F.when(F.col("rank") <= 10, F.col("rank") * 3).otherwise(F.col("rank") + 1000)
    judged = drawn(JUDGED).withColumn(
        "image_id", F.pmod(F.xxhash64("query_image_id", answered, F.lit(1)), F.lit(IMAGES)).cast("string")
    )
    scored = judged.select("query_image_id", "image_id", F.pmod("rank", F.lit(6)).cast("int").alias("score"))
    rankings = drawn(ANSWERS).dropDuplicates(["query_image_id", "image_id"])
    values = values_on_spark(
        rankings, scored.dropDuplicates(["query_image_id", "image_id"]), Measures((1, 10, 100), True, True)
    )
    means = values.agg(*(F.mean(name).alias(name) for name in values.columns[1:])).collect()[0]
    return float(means["mrr"])


def verdicts(var: str) -> None:
    """Print how often each model is called better or worse than the first."""
    settings = load_settings("demo", [f"var={Path(var).absolute()}"])
    searcher = Searcher.open(settings.index.uri, cache=settings.cache)
    rows = searcher.visible_ids()
    ids = [fact["image_id"] for fact in searcher.describe(rows)]
    vectors, known = searcher.vectors(rows), {*ids}
    with spark_session(settings, "benchmark") as spark:
        lake = Lake(spark, settings.lake.uri, "benchmark")
        images = images_with_split(lake, settings)
        judged = judged_queries(lake.read("judgements"), images, seed=settings.evaluation.seed, limit=1000)
    judged = {query: scores for query, scores in judged.items() if query in known}

    def ndcg(noise: float, rng: np.random.Generator) -> list[float]:
        encoded = _noisy(vectors, noise, rng)
        rankings = exact_rankings(list(judged), ids, encoded, depth=DEPTH)
        return list(measured(judged, rankings, Measures()).of_each["ndcg_at_10"])

    for name, noise in (("equal", EQUAL_NOISE), ("worse", WORSE_NOISE)):
        said: dict[str, int] = {}
        gains = []
        for seed in range(SEEDS):
            rng = np.random.default_rng([seed, 1])
            gain = paired_difference(ndcg(noise, rng), ndcg(EQUAL_NOISE, rng), seed=seed)
            said[gain.outcome] = said.get(gain.outcome, 0) + 1
            gains.append(gain.mean)
        print(f"{name}, {len(judged)} queries: mean difference {np.mean(gains):+.4f}; {said}", flush=True)


def _noisy(vectors: Vectors, noise: float, rng: np.random.Generator) -> Vectors:
    moved = vectors + noise * rng.normal(size=vectors.shape).astype(np.float32) / np.sqrt(vectors.shape[1])
    return np.asarray(moved / np.linalg.norm(moved, axis=1, keepdims=True), dtype=np.float32)


if __name__ == "__main__":
    if sys.argv[1] == "queries":
        queries(int(sys.argv[2]) if len(sys.argv) > 2 else 100_000)
    else:
        verdicts(sys.argv[2])
