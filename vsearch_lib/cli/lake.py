"""Opens the lake for a command, in a Spark session that lasts as long as the command."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from vsearch_lib.run.arguments import settings_of
from vsearch_lib.run_ids import new_run_id

if TYPE_CHECKING:
    from vsearch_lib.config import Settings
    from vsearch_lib.lake import Lake


@contextmanager
def lake_of(arguments: argparse.Namespace, command: str) -> "Iterator[tuple[Lake, Settings]]":
    """Open the lake of the settings that the parsed arguments select, for `vsearch <command>`."""
    settings = settings_of(arguments)
    from vsearch_lib.lake import Lake
    from vsearch_lib.spark.session import spark_session

    with spark_session(settings, f"vsearch {command}") as spark:
        yield Lake(spark, settings.lake.uri, new_run_id()), settings
