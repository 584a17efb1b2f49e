"""What a step is given: settings, lake, run, and somebody who listens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date

from pyspark.sql import SparkSession

from vsearch_lib.config import Settings
from vsearch_lib.lake import Lake
from vsearch_lib.terminal import say


def _no_progress(_done: int, _total: int) -> None:
    """Nobody watches."""


@dataclass(frozen=True)
class StepContext:
    """What one run of one step works with.

    Attributes:
        dates: landing partitions that the run names; None is every one.
        made: what the step made that is no table, and its version: model, index.
    """

    settings: Settings
    lake: Lake
    run_id: str
    dates: tuple[date, ...] | None = None
    made: dict[str, str] = field(default_factory=dict)
    progress: Callable[[int, int], None] = field(default=_no_progress)
    say: Callable[[str], None] = field(default=say)

    @property
    def spark(self) -> SparkSession:
        """The session that the step runs in."""
        return self.lake.spark
