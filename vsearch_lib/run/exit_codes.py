"""How a command ends: one line to read, and an exit code that tells how it ended."""

import os
import sys
import traceback
from collections.abc import Callable

from vsearch_lib import system_errors, system_user
from vsearch_lib.errors import VsearchError
from vsearch_lib.terminal import printable


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
        if known := system_errors.explain(error):
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
