"""The version of the code that made a model."""

import os
import shutil
import subprocess
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from vsearch_lib.config import PROJECT


@cache
def code_version(folder: Path = PROJECT) -> str:
    """Return this package's version; if `folder` is a git checkout, with the commit and whether files differ from it.

    It is a version of PEP 440 with a local part: `0.1.0`, `0.1.0+6c6caa8abcde`, `0.1.0+6c6caa8abcde.dirty`.
    """
    try:
        package = version("vsearch")
    except PackageNotFoundError:  # the code runs from a folder on PYTHONPATH
        package = "0"
    commit = _commit(folder)
    return f"{package}+{commit}" if commit else package


def _commit(folder: Path) -> str | None:
    """Return the commit of a checkout, None if there is none, or git cannot read it."""
    # An installed package may lie inside the checkout of something else, whose commit says nothing.
    if not (folder / ".git").exists():
        return None
    commit, changes = _git(folder, "rev-parse", "HEAD"), _git(folder, "status", "-s", "-uno")
    return f"{commit[:12]}{'.dirty' if changes else ''}" if commit else None


def _git(folder: Path, *arguments: str) -> str | None:
    git = shutil.which("git")
    if git is None:
        return None
    # Without optional locks it only reads, so that it disturbs nobody who works in the checkout.
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0"}
    command = [git, "-C", str(folder), *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)  # noqa: S603 - nothing from outside
    return done.stdout.strip() if done.returncode == 0 else None
