"""Walk a step graph in one local Spark session, showing what runs, how far it is and how long it has left.

A job is a file, as for spark-submit: it is loaded from `jobs/`, never imported, so the library does not know its jobs.
"""

import importlib.util
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import date

from py4j.protocol import Py4JError
from pyspark.sql import SparkSession
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from vsearch_lib.config import PROJECT, Settings
from vsearch_lib.encoder.registry import newest, recipe_of
from vsearch_lib.job import Figure, Job, Run, record
from vsearch_lib.lake import Lake, spark_session
from vsearch_lib.steps import GRAPHS, Step, in_order
from vsearch_lib.terminal import printable
from vsearch_lib.ticker import every

_TELL_SECONDS = 0.5
_LINE_SECONDS = 15  # between progress lines where the output is not a terminal


@dataclass(frozen=True)
class StepResult:
    """What a step gave: its figures, the lines it had to say, and how long it took."""

    step: Step
    figures: list[Figure]
    said: list[str]
    seconds: float


def run_graph(
    graph: str, settings: Settings, *, run_id: str, dates: tuple[date, ...] | None, console: Console
) -> list[StepResult]:
    """Run every step of `graph` in order; the first one that fails ends the run, and what was committed stays.

    Raises:
        UsageError: a model is to be made, and there is no such backbone.
        VsearchError: as the step that failed raises it.
    """
    _check_backbone(graph, settings)
    steps = in_order(GRAPHS[graph])
    results: list[StepResult] = []
    with _shown(console) as show:
        show.begin("starting Spark", 0, len(steps))
        with spark_session(settings, f"vsearch {graph} {run_id}") as spark:
            lake = Lake(spark, settings.lake.uri, run_id)
            job = Job(settings=settings, lake=lake, run_id=run_id, dates=dates)
            for number, step in enumerate(steps, start=1):
                results.append(_run_step(step, number, len(steps), job, show))
            seconds = [Figure("step_seconds", result.seconds, result.step.job) for result in results]
            record(lake, [figure for result in results for figure in result.figures] + seconds)
    return results


def _check_backbone(graph: str, settings: Settings) -> None:
    """Find a misspelt backbone before anything is taken in, not in the middle of a night."""
    makes_model = any(step.job == "train_encoder" for step in GRAPHS[graph])
    if makes_model and newest(settings.models.uri, recipe_of(settings)) is None:
        # Seconds of importing, that a night with a model does not wait for; this one would later.
        from vsearch_lib.encoder.backbones import check_name

        check_name(settings.model.backbone)


def load_job(name: str) -> Run:
    """Return `run` of the file `jobs/<name>.py`."""
    file = PROJECT / "jobs" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"vsearch_job_{name}", file)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    run: Run = module.run
    return run


def _run_step(step: Step, number: int, total: int, job: Job, show: "_Show") -> StepResult:
    show.begin(step.job, number, total)
    started = time.monotonic()
    said: list[str] = []
    retrain, compact = "--retrain" in step.arguments, "--compact" in step.arguments
    job = replace(job, retrain=retrain, compact=compact, progress=show.advance, say=said.append)

    def tell() -> None:
        # Where Java is gone, the step itself meets it and ends.
        with suppress(Py4JError, ConnectionError):
            _tell_tasks(job.spark, show.advance_tasks)

    with every(_TELL_SECONDS, tell):
        figures = load_job(step.job)(job)
    seconds = time.monotonic() - started
    show.end(step, number, total, seconds)
    return StepResult(step, figures, said, seconds)


def _tell_tasks(spark: SparkSession, advance: Callable[[int, int], None]) -> None:
    """Report the finished and the known tasks of the stages that run."""
    tracker = spark.sparkContext.statusTracker()
    stages = [tracker.getStageInfo(stage) for stage in tracker.getActiveStageIds()]
    known = [stage for stage in stages if stage is not None]
    if known:
        advance(sum(stage.numCompletedTasks for stage in known), sum(stage.numTasks for stage in known))


class _Show:
    """Progress: on a terminal a bar for the step that runs; elsewhere a line now and then, and one when a step ends."""

    def __init__(self, console: Console, progress: Progress) -> None:
        self._console = console
        self._progress = progress
        self._task = progress.add_task("", total=None)
        self._own = False  # the step reports its own progress, which says more than Spark's tasks
        self._began = self._printed = time.monotonic()
        self._name = ""

    def begin(self, name: str, number: int, total: int) -> None:
        self._own = False
        self._name = f"[{number}/{total}] {name}"
        self._began = self._printed = time.monotonic()
        self._progress.reset(self._task, total=None, description=self._name)

    def advance(self, done: int, total: int) -> None:
        self._own = True
        self._update(done, total)

    def advance_tasks(self, done: int, total: int) -> None:
        if not self._own:
            self._update(done, total)

    def end(self, step: Step, number: int, total: int, seconds: float) -> None:
        self._print(f"{f'[{number}/{total}]':<8}{step.job:<24} {seconds:6.1f} s  {step.does}")

    def _update(self, done: int, total: int) -> None:
        self._progress.update(self._task, completed=done, total=total)
        now = time.monotonic()
        if not self._console.is_terminal and self._own and done and now - self._printed >= _LINE_SECONDS:
            self._printed = now
            left = (now - self._began) / done * (total - done)
            self._print(f"{self._name}: {done} of {total}, about {left:.0f} s left")

    def _print(self, line: str) -> None:
        self._console.print(printable(line), markup=False, highlight=False, soft_wrap=True)


@contextmanager
def _shown(console: Console) -> Iterator[_Show]:
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        yield _Show(console, progress)
