"""A folder that is either whole or not there."""

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
    """Give an empty folder to fill; when the block ends well it becomes `out`, which must be absent or empty.

    The work is done in a hidden sibling of `out`. A killed run leaves only that, and the next one clears it.
    Raises UsageError when another process is filling the same folder.
    """
    out = out.resolve()  # "." has no name to put a dot before
    workshop = out.with_name(f".{out.name}.partial")
    workshop.mkdir(parents=True, exist_ok=True)
    with (workshop / "lock").open("w") as lock:
        # A record lock: the kernel drops it when this process ends, however it ends, and forked workers never hold it.
        try:
            fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise UsageError(
                f"{out} is being written by another process; wait for it, or choose another folder"
            ) from error
        content = workshop / "content"
        shutil.rmtree(content, ignore_errors=True)
        content.mkdir()
        try:
            yield content
            os.replace(content, out)
        finally:
            shutil.rmtree(workshop)
