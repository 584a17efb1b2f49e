"""The progress that a user sees while a run goes on."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

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

from vsearch_lib.terminal import printable

_LINE_SECONDS = 15  # between progress lines, if the output is not a terminal


class StepProgress:
    """Shows a bar for a running step on a terminal; elsewhere a line now and then, and one at the end of the step.

    Steps that run at the same time have a display each.
    """

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._console = progress.console
        self._task = progress.add_task("", total=None)
        self._step_reports = False  # whether the step reports its progress itself, which says more than Spark's tasks
        self._began = self._printed = time.monotonic()
        self._done = self._total = 0
        self._name = ""

    def begin(self, name: str, number: int, total: int) -> None:
        self._step_reports = False
        self._name = f"[{number}/{total}] {name}"
        self._began = self._printed = time.monotonic()
        self._done = self._total = 0
        self._progress.reset(self._task, total=None, description=self._name)

    def advance(self, done: int, total: int) -> None:
        self._step_reports = True
        self._update(done, total)

    def advance_tasks(self, done: int, total: int) -> None:
        if not self._step_reports:
            self._update(done, total)

    def end(self, seconds: float, outcome: str) -> None:
        """Print how long the step took and how it ended, and take its bar away."""
        place, name = self._name.split(maxsplit=1)
        self._print(f"{place:<8}{name:<24} {seconds:6.1f} s  {outcome}")
        self.remove()

    def remove(self) -> None:
        """Take the bar away."""
        self._progress.remove_task(self._task)

    def _update(self, done: int, total: int) -> None:
        if self._total and (done < self._done or total != self._total):  # the step has begun another part of its work
            self._began = time.monotonic()
        self._done, self._total = done, total
        self._progress.update(self._task, completed=done, total=total)
        now = time.monotonic()
        if not self._console.is_terminal and self._step_reports and done and now - self._printed >= _LINE_SECONDS:
            self._printed = now
            left = (now - self._began) / done * (total - done)
            self._print(f"{self._name}: {done} of {total}, about {left:.0f} s left")

    def _print(self, line: str) -> None:
        self._console.print(printable(line), markup=False, highlight=False, soft_wrap=True)


@contextmanager
def progress_on(console: Console) -> Iterator[Progress]:
    """The place of bars on a terminal; they disappear at the end."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        yield progress
