"""Vectors that tasks have computed but no run has committed: after a killed run they are not computed again.

They are Parquet files under `<lake.uri>/pending_embeddings/<model version>/`, which are deleted after the commit.
"""

import hashlib
import io
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import DataFrame

from vsearch_lib.lake import Lake
from vsearch_lib.lake.paths import escape_glob
from vsearch_lib.lake.pending import pending_uri
from vsearch_lib.storage import open_store
from vsearch_lib.vectors import Vectors

VECTORS = pa.schema([("sha256", pa.string()), ("vector", pa.list_(pa.float32()))])
_ROWS = "sha256 string, vector array<float>"


def write_pending(uri: str, hashes: Sequence[str], vectors: Vectors) -> None:
    """Write a file with `vectors` (n, d) of the pictures `hashes` under `uri`, which is that of a `Pending`."""
    offsets = np.arange(len(hashes) + 1, dtype=np.int32) * vectors.shape[1]
    lists = pa.ListArray.from_arrays(pa.array(offsets), pa.array(vectors.ravel()))
    sink = io.BytesIO()
    # Vectors cannot be compressed: an attempt costs more than writing them.
    pq.write_table(pa.table([pa.array(hashes), lists], schema=VECTORS), sink, compression="none", use_dictionary=False)
    name = hashlib.sha256("".join(hashes).encode()).hexdigest()
    open_store(uri).write_new(f"{name}.parquet", sink.getvalue())


class Pending:
    """The pending vectors of one model."""

    def __init__(self, lake: Lake, model_version: str) -> None:
        self.uri = f"{pending_uri(lake)}/{model_version}"
        self._spark = lake.spark

    def files(self) -> list[str]:
        """Return the names of the files."""
        return [key for key in open_store(self.uri).list("") if key.endswith(".parquet")]

    def read(self, files: list[str]) -> DataFrame:
        """Return sha256 and vector of `files`, each picture once."""
        if not files:
            return self._spark.createDataFrame([], _ROWS)
        rows = self._spark.read.schema(_ROWS).parquet(*(escape_glob(f"{self.uri}/{name}") for name in files))
        return rows.dropDuplicates(["sha256"])

    def remove(self, files: list[str]) -> None:
        """Delete `files`, whose vectors are in the table now."""
        store = open_store(self.uri)
        for name in files:
            store.delete(name)
