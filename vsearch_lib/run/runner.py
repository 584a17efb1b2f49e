"""Runs a step graph in one local Spark session, and shows which step runs, how far it is and how long it will take."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date

from py4j.protocol import Py4JError
from pyspark.sql import SparkSession
from rich.console import Console

from vsearch_lib.config import Settings
from vsearch_lib.context import StepContext
from vsearch_lib.figures import Figure
from vsearch_lib.lake import Lake
from vsearch_lib.lake.metrics import record
from vsearch_lib.models.registry import newest, recipe_of
from vsearch_lib.run.bodies import body_of
from vsearch_lib.run.progress import RunProgress, run_progress
from vsearch_lib.spark.session import spark_session
from vsearch_lib.steps import GRAPHS, Step, in_order
from vsearch_lib.ticker import every

_POLL_SECONDS = 0.5


@dataclass(frozen=True)
class StepResult:
    """The result of a step: its figures, the lines that it reported, and how long it took."""

    step: Step
    figures: list[Figure]
    lines: list[str]
    seconds: float


def run_graph(
    graph: str, settings: Settings, *, run_id: str, dates: tuple[date, ...] | None, console: Console
) -> list[StepResult]:
    """Run every step of `graph` in order; the first failure ends the run, and what was committed stays.

    Raises:
        UsageError: the run would make a model, but the configured backbone does not exist.
        VsearchError: the error of the step that failed.
    """
    steps = in_order(GRAPHS[graph])
    results: list[StepResult] = []
    with run_progress(console) as display, ThreadPoolExecutor(1) as beside:
        display.begin("starting Spark", 0, len(steps))
        backbone = beside.submit(_check_backbone, graph, settings)
        with spark_session(settings, f"vsearch {graph} {run_id}") as spark:
            backbone.result()
            lake = Lake(spark, settings.lake.uri, run_id)
            context = StepContext(settings=settings, lake=lake, run_id=run_id, dates=dates)
            for number, step in enumerate(steps, start=1):
                results.append(_run_step(step, number, len(steps), context, display))
            seconds = [Figure("step_seconds", result.seconds, subject=result.step.name) for result in results]
            record(lake, [figure for result in results for figure in result.figures] + seconds)
    return results


def _check_backbone(graph: str, settings: Settings) -> None:
    """Report a misspelt backbone before anything is ingested, not in the middle of a night."""
    makes_model = any(step.name == "train_encoder" for step in GRAPHS[graph])
    if makes_model and newest(settings.models.uri, recipe_of(settings)) is None:
        # This import takes seconds, about as many as Java's start. A night that has a model does not need it; this one
        # needs it later anyway.
        from vsearch_lib.encoder.backbones import check_name

        check_name(settings.model.backbone)


def _run_step(step: Step, number: int, total: int, context: StepContext, display: RunProgress) -> StepResult:
    display.begin(step.name, number, total)
    started = time.monotonic()
    lines: list[str] = []
    context = replace(context, progress=display.advance, say=lines.append)

    def report() -> None:
        # If Java is gone, the step itself notices and fails.
        with suppress(Py4JError, ConnectionError):
            _report_tasks(context.spark, display.advance_tasks)

    with every(_POLL_SECONDS, report):
        figures = body_of(step.name)(context, **vars(step.options))
    seconds = time.monotonic() - started
    display.end(step, number, total, seconds)
    return StepResult(step, figures, lines, seconds)


def _report_tasks(spark: SparkSession, advance: Callable[[int, int], None]) -> None:
    """Report how many tasks of the running stages are finished, and how many there are."""
    tracker = spark.sparkContext.statusTracker()
    stages = [tracker.getStageInfo(stage) for stage in tracker.getActiveStageIds()]
    running = [stage for stage in stages if stage is not None]
    if running:
        advance(sum(stage.numCompletedTasks for stage in running), sum(stage.numTasks for stage in running))
