"""Runs the commands that people type, each in a process, and lists what is wrong with how one ended."""

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
# Read when this program starts: a Spark session that it opens later adds variables of its own.
_ENVIRONMENT = dict(os.environ)
_TRACE = re.compile(
    r"Traceback \(most recent call last\)|^\s+at [\w.$/<>]+\(.*\)$|^Caused by: |java\.\w+\.", re.MULTILINE
)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
INGEST_SECONDS, NIGHT_SECONDS = 300, 1_200


class NotRun(Exception):
    """Raised when a case cannot run on this machine; the message says what it needs."""


@dataclass(frozen=True)
class CommandResult:
    """How a command ended, and what it printed."""

    arguments: Sequence[str]
    exit_code: int | None  # None: it exceeded its time limit
    output: str
    errors: str

    def problems(self, *allowed: int, message: str = "") -> Iterator[str]:
        """Yield what is wrong: an exit code that is not `allowed`, a trace, a control character, a missing `message`.

        A command that fails must print one line of error; after invalid arguments it may print its usage as well.
        """
        ended = "not within its time limit" if self.exit_code is None else f"with {self.exit_code}"
        if self.exit_code not in allowed:
            last_line = self.errors.strip().splitlines()[-1:] or self.output.strip().splitlines()[-1:]
            yield f"it ended {ended}, not with {' or '.join(map(str, allowed))} ({''.join(last_line)[:200]})"
        for stream in (self.output, self.errors):
            if trace := _TRACE.search(stream):
                yield f"it printed a trace: {trace[0].strip()!r}"
            if control := _CONTROL.search(stream):
                yield f"it printed the control character {control[0]!r}"
        if self.exit_code and len(self._error_lines) != 1:
            yield f"it failed with {len(self._error_lines)} lines, not one"
        if message not in self.output + self.errors:
            yield f"it did not print {message!r}"

    @property
    def _error_lines(self) -> list[str]:
        lines = self.errors.splitlines()
        if lines and lines[0].startswith("usage: "):
            lines = [line for line in lines if "error: " in line]
        return lines


def command(
    arguments: Sequence[str],
    *,
    seconds: float,
    environment: Mapping[str, str | None] | None = None,
    folder: Path = PROJECT,
    stdin: bytes = b"",
) -> CommandResult:
    """Run a command to its end, or kill it after `seconds` with all processes that it started.

    Args:
        environment: variables to set, or to leave out if the value is None.
        folder: the current folder of the command.
    """
    chosen = {**_ENVIRONMENT, "PYTHONPATH": str(PROJECT), **(environment or {})}
    with subprocess.Popen(
        arguments,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={name: value for name, value in chosen.items() if value is not None},
        cwd=folder,
        start_new_session=True,
    ) as process:
        try:
            output, errors = process.communicate(stdin, timeout=seconds)
            exit_code = process.returncode
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            output, errors = process.communicate()
            exit_code = None
    return CommandResult(arguments, exit_code, output.decode(errors="replace"), errors.decode(errors="replace"))


def python(*arguments: str) -> list[str]:
    """Return the command line of a Python program, run by this Python."""
    return [sys.executable, *arguments]


def vsearch(*arguments: str) -> list[str]:
    """Return the command line of a `vsearch` command."""
    return python("-m", "vsearch_lib.cli", *arguments)


def setting(key: str, value: object) -> str:
    """Return the option that sets one setting."""
    return f"--set={key}={value}"


def needs_root() -> None:
    """Stop a case that only root can run.

    Raises:
        NotRun: this user is not root.
    """
    if os.geteuid() != 0:
        raise NotRun("needs root")


def as_unknown_user(uid: int) -> list[str]:
    """Return the beginning of a command line that runs it as a user whom the machine has no name for.

    Raises:
        NotRun: this user is not root and cannot become another, or other users may not run this Python.
    """
    needs_root()
    prefix = [_setpriv(), f"--reuid={uid}", f"--regid={uid}", "--clear-groups"]
    # Through a shell, because the first program still starts with root's rights.
    if subprocess.run(
        [*prefix, "sh", "-c", f"exec {shlex.quote(sys.executable)} -c ''"], capture_output=True
    ).returncode:
        raise NotRun("needs a Python that other users may run")
    return prefix


def obeying_permissions() -> list[str]:
    """Return the beginning of a command line that takes from root the right to override file permissions."""
    if os.geteuid() != 0:
        return []
    return [_setpriv(), "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all"]


def _setpriv() -> str:
    if path := shutil.which("setpriv"):
        return path
    raise NotRun("needs setpriv")
