"""Runs a step graph in one local Spark session, and shows which steps run, how far they are and how long they take."""

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from queue import SimpleQueue
from threading import Thread

from py4j.protocol import Py4JError
from pyspark import SparkContext
from rich.console import Console
from rich.progress import Progress

from vsearch_lib.config import Settings
from vsearch_lib.context import StepContext
from vsearch_lib.encoder.packaged import PACKAGED
from vsearch_lib.figures import Figure
from vsearch_lib.lake import Lake
from vsearch_lib.lake.metrics import record
from vsearch_lib.models.registry import newest, recipe_of
from vsearch_lib.run.bodies import body_of
from vsearch_lib.run.progress import StepProgress, progress_on
from vsearch_lib.spark.session import spark_session
from vsearch_lib.steps import GRAPHS, Step, in_order
from vsearch_lib.ticker import every

_POLL_SECONDS = 0.5
# Most of a step on a small lake is one thread of Java that plans the next query: two steps keep two cores busy.
_STEPS_AT_ONCE = 2


@dataclass(frozen=True)
class StepResult:
    """The result of a step: its figures, the lines that it reported, and when it began and ended, by one clock."""

    step: Step
    figures: list[Figure]
    lines: list[str]
    began_seconds: float
    ended_seconds: float


def run_graph(
    graph: str, settings: Settings, *, run_id: str, dates: tuple[date, ...] | None, console: Console
) -> list[StepResult]:
    """Run every step of `graph` after those it waits for, two at a time; return the results in the graph's order.

    After the first failure no other step begins. The steps that run then come to their end, and what was committed
    stays.

    Raises:
        UsageError: the run would make a model, but the configured backbone does not exist.
        VsearchError: the error of the step that failed.
    """
    steps = in_order(GRAPHS[graph])
    if any(step.name == "train_encoder" for step in steps) and newest(settings.models.uri, recipe_of(settings)) is None:
        _check_backbone(settings.model.backbone)
    with progress_on(console) as progress:
        display = StepProgress(progress)
        display.begin("starting Spark", 0, len(steps))
        with spark_session(settings, f"vsearch {graph} {run_id}") as spark:
            display.remove()

            def run(step: Step) -> StepResult:
                # The sessions share everything but their settings, some of which a step changes for a while.
                lake = Lake(spark.newSession(), settings.lake.uri, run_id)
                context = StepContext(settings, lake, run_id, dates)
                return _run_step(step, steps.index(step) + 1, len(steps), context, progress)

            results = sorted(run_steps(steps, run), key=lambda result: steps.index(result.step))
            seconds = [
                Figure("step_seconds", result.ended_seconds - result.began_seconds, subject=result.step.name)
                for result in results
            ]
            figures = [figure for result in results for figure in result.figures]
            record(Lake(spark, settings.lake.uri, run_id), figures + seconds)
    return results


def run_steps(steps: list[Step], run: Callable[[Step], StepResult]) -> Iterator[StepResult]:
    """Run the steps, each in a thread of its own, and yield their results as they come.

    If this is interrupted, the threads do not keep the process alive.
    """
    waiting, running = list(steps), 0
    ended: SimpleQueue[StepResult | BaseException] = SimpleQueue()
    done: set[str] = set()
    failure: BaseException | None = None

    def run_one(step: Step) -> None:
        try:
            ended.put(run(step))
        except BaseException as error:  # raised again below, in the thread that waits
            ended.put(error)

    while True:
        ready = [step for step in waiting if done.issuperset(step.after)] if failure is None else []
        for step in ready[: _STEPS_AT_ONCE - running]:
            waiting.remove(step)
            Thread(target=run_one, args=(step,), name=step.name, daemon=True).start()
            running += 1
        if not running:
            break
        result = ended.get()
        running -= 1
        if isinstance(result, BaseException):
            failure = failure or result
        else:
            done.add(result.step.name)
            yield result
    if failure is not None:
        raise failure


def _check_backbone(backbone: str) -> None:
    """Report a misspelt backbone before anything is ingested, not in the middle of a night."""
    if backbone not in PACKAGED:  # to look for others takes seconds
        from vsearch_lib.encoder.backbones import check_name

        check_name(backbone)


def _run_step(step: Step, number: int, total: int, context: StepContext, progress: Progress) -> StepResult:
    display = StepProgress(progress)
    display.begin(step.name, number, total)
    began = time.monotonic()
    lines: list[str] = []
    context = replace(context, progress=display.advance, say=lines.append)
    spark = context.spark.sparkContext
    spark.setJobGroup(step.name, step.does)

    def report() -> None:
        # If Java is gone, the step itself notices and fails.
        with suppress(Py4JError, ConnectionError):
            _report_tasks(spark, step.name, display.advance_tasks)

    outcome = "failed"
    try:
        with every(_POLL_SECONDS, report):
            figures = body_of(step.name)(context, **vars(step.options))
        outcome = step.does
    finally:
        ended = time.monotonic()
        display.end(ended - began, outcome)
    return StepResult(step, figures, lines, began, ended)


def _report_tasks(spark: SparkContext, group: str, advance: Callable[[int, int], None]) -> None:
    """Report how many tasks of the running stages of a group of jobs are finished, and how many there are."""
    tracker = spark.statusTracker()
    active, own = set(tracker.getActiveStageIds()), set(tracker.getJobIdsForGroup(group))
    jobs = [tracker.getJobInfo(job) for job in own.intersection(tracker.getActiveJobsIds())]
    stages = [tracker.getStageInfo(stage) for job in jobs if job for stage in job.stageIds if stage in active]
    running = [stage for stage in stages if stage is not None]
    if running:
        advance(sum(stage.numCompletedTasks for stage in running), sum(stage.numTasks for stage in running))
