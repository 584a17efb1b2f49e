"""A folder that either is complete or does not exist."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vsearch_lib.errors import UsageError


@contextmanager
def new_folder(out: Path) -> Iterator[Path]:
    """Yield an empty folder to fill; if the block succeeds, it becomes `out`, which must be missing or empty.

    The yielded folder is in a hidden sibling of `out`. A killed run leaves only the sibling, which the next run clears.
    Raises UsageError if another process is filling the same folder.
    """
    out = out.resolve()  # "." has no name to put a dot before
    partial = out.with_name(f".{out.name}.partial")
    partial.mkdir(parents=True, exist_ok=True)
    with (partial / "lock").open("w") as lock:
        # A record lock: the kernel releases it whenever this process ends, and forked workers never hold it.
        try:
            fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise UsageError(
                f"{out} is being written by another process; wait for it, or choose another folder"
            ) from error
        content = partial / "content"
        shutil.rmtree(content, ignore_errors=True)
        content.mkdir()
        try:
            yield content
            os.replace(content, out)
        finally:
            shutil.rmtree(partial)
