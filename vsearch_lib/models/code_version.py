"""The version of the code that made a model."""

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
    git = shutil.which("git")
    # An installed package may lie inside the checkout of something else, whose commit says nothing.
    if git is None or not (folder / ".git").exists():
        return None
    describe = ["describe", "--always", "--dirty", "--exclude=*", "--abbrev=12"]
    described = subprocess.run(  # noqa: S603 - nothing in it comes from outside
        [git, "--no-optional-locks", "-C", str(folder), *describe], capture_output=True, text=True
    )
    return described.stdout.strip().replace("-", ".") or None
