"""The commands that people type, as processes, and what is wrong with how one ended."""

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
# As this program was started: a session that it opens itself adds variables of its own.
_ENVIRONMENT = dict(os.environ)
_TRACE = re.compile(
    r"Traceback \(most recent call last\)|^\s+at [\w.$/<>]+\(.*\)$|^Caused by: |java\.\w+\.", re.MULTILINE
)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
INGEST_SECONDS, NIGHT_SECONDS = 300, 1_200


class NotRun(Exception):
    """Raised when a case cannot be run here; the message says what it needs."""


@dataclass(frozen=True)
class Done:
    """How a command ended: its exit code, None if it took too long, and what it said."""

    words: Sequence[str]
    exit_code: int | None
    output: str
    errors: str

    def problems(self, *allowed: int, says: str = "") -> Iterator[str]:
        """Yield what is wrong: another exit code than those `allowed`, a trace, control characters, missing words.

        A command that fails must say why in one line, beside the usage of arguments that do not fit.
        """
        ended = "not within its time" if self.exit_code is None else f"with {self.exit_code}"
        if self.exit_code not in allowed:
            told = self.errors.strip().splitlines()[-1:] or self.output.strip().splitlines()[-1:]
            yield f"it ended {ended}, not with {' or '.join(map(str, allowed))} ({''.join(told)[:200]})"
        for stream in (self.output, self.errors):
            if trace := _TRACE.search(stream):
                yield f"it printed a trace: {trace[0].strip()!r}"
            if control := _CONTROL.search(stream):
                yield f"it printed the control character {control[0]!r}"
        if self.exit_code and len(self._complaint) != 1:
            yield f"it failed with {len(self._complaint)} lines, not one"
        if says not in self.output + self.errors:
            yield f"it did not say {says!r}"

    @property
    def _complaint(self) -> list[str]:
        lines = self.errors.splitlines()
        if lines and lines[0].startswith("usage: "):
            lines = [line for line in lines if "error: " in line]
        return lines


def command(
    words: Sequence[str],
    *,
    seconds: float,
    environment: Mapping[str, str | None] | None = None,
    folder: Path = PROJECT,
    stdin: bytes = b"",
) -> Done:
    """Run a command to its end, or end it after `seconds`, with all that it started.

    Args:
        environment: variables to set, or to leave out where the value is None.
        folder: the current one of the command.
    """
    chosen = {**_ENVIRONMENT, "PYTHONPATH": str(PROJECT), **(environment or {})}
    with subprocess.Popen(
        words,
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
    return Done(words, exit_code, output.decode(errors="replace"), errors.decode(errors="replace"))


def python(*words: str) -> list[str]:
    """Return the words that start a Python program with this Python."""
    return [sys.executable, *words]


def vsearch(*words: str) -> list[str]:
    """Return the words of a `vsearch` command."""
    return python("-m", "vsearch_lib.cli", *words)


def setting(key: str, value: object) -> str:
    """Return the option that sets one key."""
    return f"--set={key}={value}"


def needs_root() -> None:
    """Stop a case that only root can run.

    Raises:
        NotRun: this is another user.
    """
    if os.geteuid() != 0:
        raise NotRun("needs root")


def as_stranger(uid: int) -> list[str]:
    """Return the words that run a command as a user that the machine has no name for.

    Raises:
        NotRun: only root can become another user, or others may not run this Python.
    """
    needs_root()
    words = [_setpriv(), f"--reuid={uid}", f"--regid={uid}", "--clear-groups"]
    # By a shell: the first program is still started with root's rights.
    if subprocess.run(
        [*words, "sh", "-c", f"exec {shlex.quote(sys.executable)} -c ''"], capture_output=True
    ).returncode:
        raise NotRun("needs a Python that other users may run")
    return words


def without_override() -> list[str]:
    """Return the words that run a command as a user whom permissions stop: root goes without its right to override."""
    if os.geteuid() != 0:
        return []
    return [_setpriv(), "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all"]


def _setpriv() -> str:
    if found := shutil.which("setpriv"):
        return found
    raise NotRun("needs setpriv")
