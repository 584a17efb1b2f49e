"""Starts Spark's Python workers from the installed pyspark, without the archives that Spark puts first on their path.

At each task a worker forgets what it knows of its path, and Python 3.11 then reads the directory of every zip file in
it again, Spark's largest jar among them: 90 ms of a core for any task. This lies outside of the packages, for theirs
would import pyspark first.
"""

import gc
import importlib.util
import sys
from fnmatch import fnmatch
from pathlib import PurePath

_SPARKS = ("pyspark.zip", "py4j-*-src.zip", "spark-core_*.jar")


def leave_archives_out() -> None:
    """Take Spark's own archives off the path, where what they hold is installed too."""
    before = list(sys.path)
    sys.path[:] = [entry for entry in before if not _is_sparks(entry)]
    if any(importlib.util.find_spec(package) is None for package in ("pyspark", "py4j")):
        sys.path[:] = before
        return
    for entry in list(sys.path_importer_cache):
        if _is_sparks(entry):
            del sys.path_importer_cache[entry]


def _is_sparks(entry: str) -> bool:
    return any(fnmatch(PurePath(entry).name, pattern) for pattern in _SPARKS)


if __name__ == "__main__":
    leave_archives_out()
    # Workers are forked from here: what every task of ours needs is loaded once, and in memory once.
    import pandas  # noqa: F401  # pyarrow imports it with its first scalar, in every worker
    import pyarrow  # noqa: F401
    from pyspark.daemon import manager

    # A worker that collects garbage would write to all of it, and so copy it.
    gc.freeze()
    manager()  # type: ignore[no-untyped-call]
