"""Makes the archive of Spark's classes: `python -m vsearch_lib.run.make_class_archive`, once for an environment."""

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from pyspark import SparkContext
from rich.console import Console

from vsearch_lib.config import load_settings
from vsearch_lib.demo import write_catalogue
from vsearch_lib.errors import VsearchError
from vsearch_lib.run.runner import run_graph
from vsearch_lib.run_ids import new_run_id
from vsearch_lib.spark.class_archive import ARCHIVE, variables_to_write
from vsearch_lib.terminal import say


def make_class_archive() -> None:
    """Ingest a few drawn pictures, let Java write the classes that this took when it ends, and replace the archive.

    Raises:
        VsearchError: Java did not start, or wrote no archive.
    """
    with tempfile.TemporaryDirectory(prefix="vsearch-classes-") as folder:
        written = Path(folder) / ARCHIVE.name
        os.environ.update(variables_to_write(written))
        settings = load_settings("demo", [f"var={folder}/var"])
        write_catalogue(Path(settings.landing.uri), images=100, seed=7)
        run_graph("ingest", settings, run_id=new_run_id(), dates=None, console=Console(quiet=True))
        _end_java()
        if not written.exists():
            raise VsearchError("Java wrote no archive of Spark's classes: each session will start some seconds later")
        ARCHIVE.parent.mkdir(exist_ok=True)
        beside = ARCHIVE.with_suffix(".new")
        shutil.copyfile(written, beside)
        beside.replace(ARCHIVE)


def _end_java() -> None:
    gateway: Any = SparkContext._gateway
    gateway.shutdown()
    gateway.proc.stdin.close()
    gateway.proc.wait()


if __name__ == "__main__":
    try:
        make_class_archive()
    except VsearchError as error:
        say(f"vsearch: {error}")
