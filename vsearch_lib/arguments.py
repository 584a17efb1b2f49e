"""What a command line may hold: what is wrong with it is said in one line."""

import argparse
import os
from pathlib import Path
from typing import NoReturn

from vsearch_lib.errors import UsageError
from vsearch_lib.terminal import printable

_MOST = 10**9  # of anything that is counted: what is larger is a slip


class Parser(argparse.ArgumentParser):
    """A parser that leaves its long usage text to --help."""

    def error(self, message: str) -> NoReturn:
        """End the process as bad usage does, with one line."""
        self.exit(UsageError.exit_code, f"{printable(f'{self.prog}: {message}; see {self.prog} --help')}\n")


def count(text: str) -> int:
    """Return a positive number."""
    if not (text.isascii() and text.isdigit() and len(text) < 20 and 0 < int(text) <= _MOST):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to {_MOST}")
    return int(text)


def crop(text: str) -> tuple[int, int, int, int]:
    """Return a part of a picture: x, y, width, height."""
    try:
        x, y, width, height = (int(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not X,Y,W,H in pixels, for example 40,10,200,180") from None
    return x, y, width, height


def check_output(option: str, file: Path) -> None:
    """See that `file`, which a person gave with `option`, can be written: before the work that it is for.

    Raises:
        UsageError: it cannot.
    """
    try:
        if file.is_dir():
            raise UsageError(f"{option} {file}: this is a folder; give a file in it")
        if not file.parent.is_dir():
            raise UsageError(f"{option} {file}: there is no folder {file.parent}; make it, or choose another")
        writable = os.access(file if file.exists() else file.parent, os.W_OK)
    except OSError as error:
        raise UsageError(f"{option} {file}: {(error.strerror or str(error)).lower()}") from None
    if not writable:
        raise UsageError(f"{option} {file}: permission denied; choose a place that you may write to")
