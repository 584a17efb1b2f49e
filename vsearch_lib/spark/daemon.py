"""Starts Spark's Python workers from the installed pyspark, without the archives that Spark puts first on their path.

At each task a worker clears the caches of its import path, and Python 3.11 then reads the directory of every zip file
on it again, including Spark's largest jar: 90 ms of a core for any task. This module must not lie in a package that
imports pyspark: the import would come first.
"""

import gc
import importlib.util
import sys
from fnmatch import fnmatch
from pathlib import PurePath

_SPARK_ARCHIVES = ("pyspark.zip", "py4j-*-src.zip", "spark-core_*.jar")


def remove_spark_archives() -> None:
    """Remove Spark's own archives from the path if their contents are installed too."""
    before = list(sys.path)
    sys.path[:] = [entry for entry in before if not _is_spark_archive(entry)]
    if any(importlib.util.find_spec(package) is None for package in ("pyspark", "py4j")):
        sys.path[:] = before
        return
    for entry in list(sys.path_importer_cache):
        if _is_spark_archive(entry):
            del sys.path_importer_cache[entry]


def _is_spark_archive(entry: str) -> bool:
    return any(fnmatch(PurePath(entry).name, pattern) for pattern in _SPARK_ARCHIVES)


if __name__ == "__main__":
    remove_spark_archives()
    # Workers are forked from this process: what all our tasks need is loaded once and held in memory once.
    import pandas  # noqa: F401  # pyarrow imports it with its first scalar, in every worker
    import pyarrow  # noqa: F401
    from pyspark.daemon import manager

    # A worker that collects garbage would write to all that memory, and so copy it.
    gc.freeze()
    manager()  # type: ignore[no-untyped-call]
