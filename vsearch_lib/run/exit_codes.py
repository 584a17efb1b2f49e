"""How a command ends: an error is one line, and the exit code says how it ended."""

import os
import sys
import traceback
from collections.abc import Callable

from vsearch_lib import system_errors, system_user
from vsearch_lib.errors import VsearchError
from vsearch_lib.terminal import printable


def exit_code(action: Callable[[], None]) -> int:
    """Call `action`; return 0, or print one line to stderr and return the error's exit code."""
    system_user.set_missing_variables()
    try:
        action()
        _flush()
    except VsearchError as error:
        return _print_error(error)
    except KeyboardInterrupt:
        print("vsearch: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        _discard_output()
        return 141  # the reader closed the pipe: the exit code that a shell reports for it
    except Exception as error:
        if known := system_errors.explain(error):
            return _print_error(known)
        # A fault in our code, not of the user: a bug report needs the trace.
        traceback.print_exc()
        return 1
    return 0


def _print_error(error: VsearchError) -> int:
    print(printable(f"vsearch: {error}"), file=sys.stderr)
    return error.exit_code


def _flush() -> None:
    try:
        sys.stdout.flush()
    except OSError as error:
        _discard_output()
        error.filename = "standard output"
        raise


def _discard_output() -> None:
    """Discard all further output: else Python tries to write it again as it ends, and prints that error."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
