"""What the published index finds for many queries: images that its model takes for alike."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from vsearch_lib.artefact.pointer import read_version
from vsearch_lib.config import Settings
from vsearch_lib.search.searcher import Searcher
from vsearch_lib.spark.checkpoint import checkpointed
from vsearch_lib.spark.session import rows_per_batch
from vsearch_lib.storage import open_store

_QUERIES_PER_BATCH = 256
_RESULT = "query_image_id string, image_id string, rank int"
_RESULT_ARROW = pa.schema([("query_image_id", pa.string()), ("image_id", pa.string()), ("rank", pa.int32())])


def index_neighbours(
    embeddings: DataFrame, settings: Settings, queries: DataFrame, version: str, *, first_rank: int, last_rank: int
) -> DataFrame:
    """Return the answers of ranks `first_rank` to `last_rank` for each query: query_image_id, image_id, rank (from 1).

    A query without a vector of the index's model has no row. Each task opens the index; its files stay memory-mapped.

    Args:
        embeddings: image_id, model_version, vector.
        settings: where the index is.
        queries: query_image_id, each once.
        version: of the index.
        first_rank: above 1 if relevant images are to be left out, of which nobody has said that they are.
        last_rank: of the answers.
    """
    index_uri, cache = settings.index.uri, settings.cache
    model = read_version(open_store(index_uri), version).model.version
    stored = embeddings.where(F.col("model_version") == model)
    vectors = stored.select(F.col("image_id").alias("query_image_id"), "vector").join(queries, "query_image_id")

    def answer(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        searcher: Searcher | None = None
        for batch in batches:
            searcher = searcher or _open(index_uri, version, cache)
            yield _answers(searcher, batch, first_rank, last_rank)

    with rows_per_batch(embeddings.sparkSession, _QUERIES_PER_BATCH):
        return checkpointed(vectors.mapInArrow(answer, _RESULT))


def _open(index_uri: str, version: str, cache: Path) -> Searcher:
    store = open_store(index_uri)
    return Searcher(store, read_version(store, version), cache=cache)


def _answers(searcher: Searcher, batch: pa.RecordBatch, first: int, last: int) -> pa.RecordBatch:
    vectors = np.asarray(batch.column("vector").flatten(), dtype=np.float32).reshape(batch.num_rows, -1)
    # The query finds itself, so one answer more is wanted.
    found = searcher.search(vectors, last + 1).ids
    query, place = np.nonzero(found >= 0)
    ids = searcher.rows["image_id"].take(pa.array(found[query, place])).combine_chunks()
    asked = batch.column("query_image_id").take(pa.array(query))
    others = np.array(ids.to_pylist(), dtype=object) != np.array(asked.to_pylist(), dtype=object)
    query, ids, asked = query[others], ids.filter(pa.array(others)), asked.filter(pa.array(others))
    starts = np.searchsorted(query, np.arange(batch.num_rows))
    rank = np.arange(len(query)) - starts[query] + 1
    wanted = pa.array((rank >= first) & (rank <= last))
    columns = [asked.filter(wanted), ids.filter(wanted), pa.array(rank, pa.int32()).filter(wanted)]
    return pa.RecordBatch.from_arrays(columns, schema=_RESULT_ARROW)
