"""Makes the archive of Spark's classes: `python -m vsearch_lib.run.make_class_archive`, once for an environment."""

import os
import shutil
import sys
from pathlib import Path
from typing import Any

from pyspark import SparkContext
from rich.console import Console

from vsearch_lib.config import load_settings
from vsearch_lib.demo import write_catalogue
from vsearch_lib.run.exit_codes import exit_code
from vsearch_lib.run.runner import run_graph
from vsearch_lib.run_ids import new_run_id
from vsearch_lib.spark.class_archive import ARCHIVE, variables_to_write
from vsearch_lib.terminal import say


def make_class_archive() -> None:
    """Ingest a few drawn pictures, let Java write the classes that this took when it ends, and replace the archive.

    A Java that writes none is no error: sessions only start later.

    Raises:
        VsearchError: Java did not start; its output stays in `.venv/share`.
    """
    folder = ARCHIVE.with_name("spark-classes-unfinished")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    written = folder / ARCHIVE.name
    os.environ.update(variables_to_write(written))
    settings = load_settings("demo", [f"var={folder}/var"])
    write_catalogue(Path(settings.landing.uri), images=100, seed=7)
    run_graph("ingest", settings, run_id=new_run_id(), dates=None, console=Console(quiet=True))
    if _end_java() == 0 and written.exists():
        written.replace(ARCHIVE)
    else:
        say(
            "Java wrote no archive of Spark's classes: all works without it, but each session starts some seconds later"
        )
    shutil.rmtree(folder)


def _end_java() -> int:
    """Wait until Java has ended, and return its exit status."""
    gateway: Any = SparkContext._gateway
    gateway.shutdown()
    gateway.proc.stdin.close()
    return int(gateway.proc.wait())


if __name__ == "__main__":
    sys.exit(exit_code(make_class_archive))
