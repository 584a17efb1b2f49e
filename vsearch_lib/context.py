"""The context of a step: settings, lake, run id, and callbacks for progress and messages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date

from pyspark.sql import SparkSession

from vsearch_lib.config import Settings
from vsearch_lib.lake import Lake
from vsearch_lib.terminal import say


def _no_progress(_done: int, _total: int) -> None:
    """Ignore the progress."""


@dataclass(frozen=True)
class StepContext:
    """Everything that one run of one step works with.

    Attributes:
        dates: the landing partitions that the run names; None means all of them.
        made: name → version of what the step made besides tables: model, index.
        alerts: lines that people should read although the step succeeds; the scheduler sends them.
    """

    settings: Settings
    lake: Lake
    run_id: str
    dates: tuple[date, ...] | None = None
    made: dict[str, str] = field(default_factory=dict)
    alerts: list[str] = field(default_factory=list)
    progress: Callable[[int, int], None] = field(default=_no_progress)
    say: Callable[[str], None] = field(default=say)

    @property
    def spark(self) -> SparkSession:
        """The session that the step runs in."""
        return self.lake.spark
