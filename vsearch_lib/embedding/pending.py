"""Vectors that tasks have computed and no commit has taken in yet: a run that is killed does not compute them again.

They lie as Parquet files under `<lake.uri>/pending_embeddings/<model version>/`, and go with the commit.
"""

import pyarrow as pa
from pyspark.sql import DataFrame

from vsearch_lib.lake import Lake
from vsearch_lib.storage import open_store

VECTORS = pa.schema([("sha256", pa.string()), ("vector", pa.list_(pa.float32()))])
_ROWS = "sha256 string, vector array<float>"


class Pending:
    """The pending vectors of one model."""

    def __init__(self, lake: Lake, model_version: str) -> None:
        self.uri = f"{_root(lake)}/{model_version}"
        self._spark = lake.spark

    def files(self) -> list[str]:
        """Return the names of the files there are."""
        return [key for key in open_store(self.uri).list("") if key.endswith(".parquet")]

    def read(self, files: list[str]) -> DataFrame:
        """Return sha256 and vector of `files`, each picture once."""
        if not files:
            return self._spark.createDataFrame([], _ROWS)
        rows = self._spark.read.schema(_ROWS).parquet(*(f"{self.uri}/{name}" for name in files))
        return rows.dropDuplicates(["sha256"])

    def remove(self, files: list[str]) -> None:
        """Delete `files`: the table has what they held."""
        store = open_store(self.uri)
        for name in files:
            store.delete(name)


def remove_all(lake: Lake) -> None:
    """Delete what is pending of every model: after an erasure nobody can tell whose vectors are among it."""
    store = open_store(_root(lake))
    for key in store.list(""):
        store.delete(key)


def _root(lake: Lake) -> str:
    return f"{lake.uri}/pending_embeddings"
