"""Ranking figures of many queries: Spark joins and groups, and its tasks call the same formulas on blocks of them."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from vsearch_lib.artefact.manifest import Manifest
from vsearch_lib.config import Settings
from vsearch_lib.measure.offline.formulas import UNJUDGED, Measures, values_of
from vsearch_lib.measure.offline.ranking import DEPTH, as_matrix
from vsearch_lib.measure.offline.slices import Sums
from vsearch_lib.search.searcher import Searcher
from vsearch_lib.storage import open_store

_QUERIES_AT_ONCE = 512  # of a task, for which it holds the answers

Task = Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]


def values_on_spark(rankings: DataFrame, judgements: DataFrame, measures: Measures) -> DataFrame:
    """Return query_image_id and a column for each figure, for every query of `judgements`, by `formulas.values_of`.

    A task holds the grades of one Arrow batch of queries, so that the memory depends on neither number.

    Args:
        rankings: query_image_id, image_id, rank (from 1), each pair once.
        judgements: query_image_id, image_id, score (int), each pair once.
        measures: which figures.
    """
    graded = rankings.join(judgements, ["query_image_id", "image_id"], "left")
    answer = F.struct("rank", F.coalesce("score", F.lit(UNJUDGED)).alias("grade"))
    answers = graded.groupBy("query_image_id").agg(F.sort_array(F.collect_list(answer))["grade"].alias("grades"))
    judged = judgements.groupBy("query_image_id").agg(F.collect_list("score").alias("judged"))
    columns = ", ".join(f"{name} double" for name in measures.names)
    both = judged.join(answers, "query_image_id", "left")
    return both.mapInArrow(value_task(measures), f"query_image_id string, {columns}")


def sums_on_spark(values: DataFrame, metric: str, slices: DataFrame) -> dict[str, Sums]:
    """Return the sums of `metric` by slice.

    Args:
        values: query_image_id, and the column `metric`.
        metric: a figure.
        slices: image_id, slices, as `query_slices` returns them.
    """
    each = values.join(slices.withColumnRenamed("image_id", "query_image_id"), "query_image_id")
    each = each.select(F.explode("slices").alias("slice"), F.col(metric).alias("value"))
    square = F.sum(F.col("value") * F.col("value"))
    rows = each.groupBy("slice").agg(F.count("*").alias("n"), F.sum("value").alias("total"), square.alias("squares"))
    return {row["slice"]: Sums(row["n"], row["total"], row["squares"]) for row in rows.collect()}


def published_rankings(queries: DataFrame, manifest: Manifest, settings: Settings) -> DataFrame:
    """Return query_image_id, image_id, rank of the answers of an index to `queries` (query_image_id), itself left out.

    Each task opens the index, whose files stay memory-mapped. A query that the index does not contain has no answer.
    """
    columns = "query_image_id string, image_id string, rank int"
    tasks = queries.sparkSession.sparkContext.defaultParallelism
    return queries.repartition(tasks).mapInArrow(answer_task(manifest, settings.index.uri, settings.cache), columns)


def value_task(measures: Measures) -> Task:
    """Return what a task does with batches of query_image_id, judged, grades: it computes the figures of each query."""

    def compute(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for whole in batches:
            for start in range(0, whole.num_rows, _QUERIES_AT_ONCE):
                batch = whole.slice(start, _QUERIES_AT_ONCE)
                grades, judged = ([one or [] for one in batch[name].to_pylist()] for name in ("grades", "judged"))
                found = values_of(as_matrix(grades, UNJUDGED), as_matrix(judged, 0), measures)
                queries = batch["query_image_id"]
                yield pa.RecordBatch.from_arrays([queries, *map(pa.array, found.values())], ["query_image_id", *found])

    return compute


def answer_task(manifest: Manifest, index_uri: str, cache: Path) -> Task:
    """Return what a task does with batches of query_image_id: it searches, and returns an answer a row."""

    def search(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        searcher = Searcher(open_store(index_uri), manifest, cache=cache)
        ids = searcher.rows["image_id"]
        depth = min(DEPTH + 1, len(searcher.visible_ids()))
        for whole in batches:
            for start in range(0, whole.num_rows, _QUERIES_AT_ONCE):
                asked = whole["query_image_id"].slice(start, _QUERIES_AT_ONCE).to_pylist()
                known = [(query, row) for query in asked if (row := searcher.row_of(query)) is not None]
                if known and depth > 1:
                    rows = np.array([row for _, row in known])
                    hits = searcher.search(searcher.vectors(rows), depth)
                    for (query, row), found in zip(known, hits.ids, strict=True):
                        names = [ids[int(other)].as_py() for other in found if other >= 0 and other != row][:DEPTH]
                        yield pa.RecordBatch.from_pydict(
                            {
                                "query_image_id": pa.array([query] * len(names), pa.string()),
                                "image_id": pa.array(names, pa.string()),
                                "rank": pa.array(range(1, len(names) + 1), pa.int32()),
                            }
                        )

    return search
