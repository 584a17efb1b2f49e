"""What a step read and wrote: one line for a log, and the same as JSON for the scheduler."""

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

from vsearch_lib.context import StepContext
from vsearch_lib.figures import ALL, Figure

# The environment variable that names the file for the JSON; the process that starts a job may set it.
TRACE_FILE = "VSEARCH_TRACE_FILE"

_UNQUOTED = re.compile(r"[\w.:/+-]+")


@dataclass(frozen=True)
class Trace:
    """A finished step: Delta's versions of the tables that it read and wrote; `made` lists what is not a table.

    `figures` are the run's metrics, including the counts of rows in and out, by `metric[slice]`, or
    `metric[subject,slice]` if they have a subject. `alerts` are only in the JSON: they are lines of their own.
    """

    step: str
    run_id: str
    partition: str
    seconds: float
    read: Mapping[str, int]
    wrote: Mapping[str, int]
    made: Mapping[str, str]
    figures: Mapping[str, float]
    alerts: Sequence[str]

    @classmethod
    def of(cls, context: StepContext, step: str, figures: Sequence[Figure], *, seconds: float) -> "Trace":
        """Return the trace of a step that has ended."""
        return cls(
            step=step,
            run_id=context.run_id,
            partition=partition_name(context.dates),
            seconds=seconds,
            read=context.lake.versions_read,
            wrote={table: version for table, version in context.lake.versions_written.items() if table != "metrics"},
            made=context.made,
            figures={_name(figure): figure.value for figure in figures},
            alerts=context.alerts,
        )

    def line(self) -> str:
        """Return the trace as `key=value` words, without those that have no value."""
        words = {"step": self.step, "run": self.run_id, "partition": self.partition, "seconds": f"{self.seconds:.1f}"}
        for name, versions in (("read", self.read), ("wrote", self.wrote)):
            words[name] = ",".join(f"{table}@{version}" for table, version in versions.items())
        words["made"] = ",".join(f"{name}@{version}" for name, version in self.made.items())
        words |= {name: f"{value:g}" for name, value in self.figures.items()}
        return " ".join(f"{name}={value}" for name, value in words.items() if value)

    def write(self) -> None:
        """Write the trace as JSON to the file that the environment names, if it names one."""
        if file := os.environ.get(TRACE_FILE):
            Path(file).write_text(json.dumps(asdict(self)))


def _name(figure: Figure) -> str:
    parts = [figure.slice] if figure.subject == ALL else [figure.subject, figure.slice]
    return f"{figure.metric}[{','.join(map(_quoted, parts))}]"


def _quoted(part: str) -> str:
    """Quote a part that would not be one word of the line, or that a reader could take for two parts."""
    return part if _UNQUOTED.fullmatch(part) else json.dumps(part, ensure_ascii=False)


def partition_name(dates: Sequence[date] | None) -> str:
    """Return `all`, a day, or the first and the last day of a range."""
    if dates is None:
        return "all"
    first, last = min(dates), max(dates)
    return str(first) if first == last else f"{first}..{last}"
