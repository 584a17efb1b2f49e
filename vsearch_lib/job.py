"""What every job shares: its arguments, its context, its exit code.

A job is a file `jobs/<name>.py` with `run(job: Job) -> list[Figure]`. spark-submit executes the file, which calls
`main`; the local runner loads it and calls `run` in its own session.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
import time
import traceback
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from vsearch_lib import system_errors, system_user
from vsearch_lib.arguments import Parser
from vsearch_lib.config import Settings, environments, load_settings
from vsearch_lib.errors import UsageError, VsearchError
from vsearch_lib.terminal import printable, say
from vsearch_lib.ticker import every
from vsearch_lib.trace import Trace, partition_name

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from vsearch_lib.lake import Lake

_ORPHAN_SECONDS = 1.0  # between looks at whether spark-submit is still there


@dataclass(frozen=True)
class Figure:
    """One measured number of a run; the unit stands at the end of its name."""

    metric: str
    value: float
    slice: str = "all"


def _no_progress(_done: int, _total: int) -> None:
    """Nobody watches."""


@dataclass(frozen=True)
class Job:
    """One run of one job: what it was told and what it works with."""

    settings: Settings
    lake: Lake
    run_id: str
    dates: tuple[date, ...] | None = None  # landing partitions; None is every one
    retrain: bool = False
    compact: bool = False  # fold the index's deltas in, however few
    retry: bool = False  # take in again what was refused, and nothing else
    made: dict[str, str] = field(default_factory=dict)  # what is no table, and its version: model, index
    progress: Callable[[int, int], None] = field(default=_no_progress)
    say: Callable[[str], None] = field(default=say)

    @property
    def spark(self) -> SparkSession:
        """The session the job runs in."""
        return self.lake.spark


Run = Callable[[Job], list[Figure]]


def add_common_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that every job and `vsearch run` take."""
    add_setting_arguments(parser)
    parser.add_argument("--date", type=_day, help="landing partition to take in (default: all)")
    parser.add_argument("--start", type=_day, help="first landing partition of a range")
    parser.add_argument("--end", type=_day, help="last landing partition of a range, included")
    parser.add_argument("--run-id", help="name of this run in tables and logs (default: time and a random suffix)")


def add_setting_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that choose the settings."""
    parser.add_argument("--env", default="local", help=f"configuration: {', '.join(environments())} (default: local)")
    parser.add_argument("--set", dest="overrides", action="append", default=[], metavar="SECTION.KEY=VALUE")
    parser.add_argument("--images", metavar="DIR", help="a folder of pictures of your own; kept under var/photos/")


def settings_of(arguments: argparse.Namespace) -> Settings:
    """Return the settings that parsed arguments ask for."""
    return load_settings(arguments.env, arguments.overrides, images=arguments.images)


def dates_of(arguments: argparse.Namespace) -> tuple[date, ...] | None:
    """Return the landing partitions that parsed arguments name, None for all.

    Raises:
        UsageError: half a range, a range that ends before it starts, or --date beside a range.
    """
    day, start, end = arguments.date, arguments.start, arguments.end
    if day is not None:
        if start or end:
            raise UsageError("--date names one partition and --start/--end a range: give one of them")
        return (day,)
    if start is None and end is None:
        return None
    if start is None or end is None:
        raise UsageError("--start and --end go together: give both ends of the range")
    if end < start:
        raise UsageError(f"--end {end} lies before --start {start}")
    return tuple(start + timedelta(days=n) for n in range((end - start).days + 1))


def new_run_id() -> str:
    """Return a run's name: sortable by time, unique."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex[:8]}"


def version_of(run_id: str, *, after: str | None = None) -> str:
    """Return a name for what a run makes now: sorts by the time it was made, and says which run made it.

    It sorts behind the version `after` even where that was made in the same second: then this waits for the next.
    """
    run = hashlib.sha256(run_id.encode()).hexdigest()[:8]
    while True:
        second = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
        if after is None or not after.startswith(second) or f"{second}-{run}" > after:
            return f"{second}-{run}"
        time.sleep(0.05)


def run_id_of(arguments: argparse.Namespace) -> str:
    """Return the run id given, or a new one."""
    return str(arguments.run_id) if arguments.run_id else new_run_id()


def record(lake: Lake, figures: Sequence[Figure]) -> None:
    """Commit figures to `metrics` under the lake's run."""
    if not figures:
        return
    import pyarrow as pa  # not for a command that records nothing

    facts = {"run": lake.run_id, "recorded_at": datetime.now(UTC)}
    rows = [{**facts, "metric": f.metric, "slice": f.slice, "value": float(f.value)} for f in figures]
    # Rows that come in columns are a part of the plan; others would take Spark's first job of a session to unpack.
    lake.upsert("metrics", lake.spark.createDataFrame(pa.Table.from_pylist(rows)))


def main(run: Run, arguments: Sequence[str] | None = None) -> NoReturn:
    """Run a job from its command line and exit with the code that tells how it ended."""
    sys.exit(exit_code(lambda: _run(run, arguments)))


def exit_code(action: Callable[[], None]) -> int:
    """Call `action`; return 0, or print one line to stderr and return the error's exit code."""
    system_user.stand_in()
    try:
        action()
        _flush()
    except VsearchError as error:
        return _failed(error)
    except KeyboardInterrupt:
        print("vsearch: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        _give_up_output()
        return 141  # who reads it has read enough: as a shell tells it
    except Exception as error:
        if known := system_errors.for_people(error):
            return _failed(known)
        # Ours, not the user's: the place in the code is what a report needs.
        traceback.print_exc()
        return 1
    return 0


def _failed(error: VsearchError) -> int:
    print(printable(f"vsearch: {error}"), file=sys.stderr)
    return error.exit_code


def _flush() -> None:
    try:
        sys.stdout.flush()
    except OSError as error:
        _give_up_output()
        error.filename = "standard output"
        raise


def _give_up_output() -> None:
    """Let nothing more be written: Python tries again as it ends, and prints what came of it."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _run(run: Run, arguments: Sequence[str] | None) -> None:
    parser = Parser(description=run.__doc__)
    add_common_arguments(parser)
    parser.add_argument(
        "--retrain", action="store_true", help="build_training_examples, train_encoder: make a new model"
    )
    parser.add_argument("--compact", action="store_true", help="build_index: fold the deltas in, however few")
    parser.add_argument("--retry", action="store_true", help="ingest_*: take in again what was refused, nothing else")
    parsed = parser.parse_args(arguments)
    settings = settings_of(parsed)
    dates = dates_of(parsed)
    run_id = run_id_of(parsed)
    # A command that starts no Spark does not wait for its being imported.
    from vsearch_lib.lake import Lake, spark_session

    step, began = Path(sys.argv[0]).stem, time.monotonic()
    with spark_session(settings, f"vsearch {step}") as spark:
        lake = Lake(spark, settings.lake.uri, run_id)
        job = Job(settings, lake, run_id, dates, retrain=parsed.retrain, compact=parsed.compact, retry=parsed.retry)
        with every(_ORPHAN_SECONDS, _end_with(os.getppid())):
            figures = run(job)
            record(lake, figures)
    trace = Trace(
        step=step,
        run_id=run_id,
        partition=partition_name(dates),
        seconds=round(time.monotonic() - began, 1),
        read=lake.versions_read,
        wrote={table: version for table, version in lake.versions_written.items() if table != "metrics"},
        made=job.made,
        figures={f"{f.metric}[{f.slice}]": f.value for f in figures},
    )
    say(trace.line())
    trace.leave()


def _end_with(parent: int) -> Callable[[], None]:
    """Return what ends this process once `parent` is gone, where that is spark-submit.

    A killed one leaves us behind, and the next try would find us still at work.
    """

    def look() -> None:
        if "PYSPARK_GATEWAY_PORT" in os.environ and os.getppid() != parent:
            os._exit(1)

    return look


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a day; write YYYY-MM-DD") from None
