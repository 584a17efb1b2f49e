"""What a command group is made with: where it registers, and the lake that some of them open."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeAlias

from vsearch_lib.run.arguments import settings_of
from vsearch_lib.run_ids import new_run_id

if TYPE_CHECKING:
    from vsearch_lib.config import Settings
    from vsearch_lib.lake import Lake

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


@contextmanager
def open_lake(arguments: argparse.Namespace, command: str) -> "Iterator[tuple[Lake, Settings]]":
    """Start Spark and open the lake that the arguments' settings name."""
    settings = settings_of(arguments)
    # Commands that start no Spark do not wait for its import.
    from vsearch_lib.lake import Lake
    from vsearch_lib.spark.session import spark_session

    with spark_session(settings, f"vsearch {command}") as spark:
        yield Lake(spark, settings.lake.uri, new_run_id()), settings
