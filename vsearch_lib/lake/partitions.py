"""The state of each partition of a table, so that work on partitions that did not change is not done again."""

import hashlib
import re
from collections.abc import Iterable

from pyspark.sql import DataFrame


def partition_states(rows: DataFrame, column: str) -> dict[str, str]:
    """Return value of the partition column → a hash of the names of its files, for the partitions that `rows` reads.

    Delta never changes a file: another content has other names. They come from Delta's log; no data is read. Compaction
    changes names too, so that a state can change although the rows are the same.
    """
    files: dict[str, list[str]] = {}
    for file in rows.inputFiles():
        if found := re.search(f"/{column}=([^/]+)/", file):
            files.setdefault(found[1], []).append(file.rpartition("/")[2])
    return {value: _hash(sorted(names)) for value, names in files.items()}


def _hash(names: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(names).encode()).hexdigest()
