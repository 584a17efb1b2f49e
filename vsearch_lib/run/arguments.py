"""The arguments of command lines: an error in them is reported in one line."""

import argparse
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import NoReturn, TypeAlias

from vsearch_lib.config import Settings, environments, load_settings
from vsearch_lib.errors import InvalidArgument, UsageError
from vsearch_lib.run_ids import new_run_id
from vsearch_lib.terminal import printable

_MAX_COUNT = 10**9  # of anything that is counted: a larger number is a typing error


class Parser(argparse.ArgumentParser):
    """A parser that prints its long usage text only for --help."""

    def error(self, message: str) -> NoReturn:
        """Print one line and exit with the code for bad usage."""
        self.exit(UsageError.exit_code, f"{printable(f'{self.prog}: {message}; see {self.prog} --help')}\n")


# The type that `add_subparsers` returns: to it the parser of a command is added.
Commands: TypeAlias = "argparse._SubParsersAction[Parser]"


@contextmanager
def named_by_option(**options: str) -> Iterator[None]:
    """Report an invalid argument under the name of its option; `options` is argument → option.

    Raises:
        UsageError: replaces an `InvalidArgument`; it has the name of the option in place of the argument's.
    """
    try:
        yield
    except InvalidArgument as error:
        raise UsageError(f"{options.get(error.argument, error.argument)} {error.problem}") from None


def count(text: str) -> int:
    """Return a positive number."""
    if not (text.isascii() and text.isdigit() and len(text) < 20 and 0 < int(text) <= _MAX_COUNT):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to {_MAX_COUNT}")
    return int(text)


def crop(text: str) -> tuple[float, float, float, float]:
    """Return a part of a picture: x, y, width, height, in pixels or fractions."""
    try:
        x, y, width, height = (float(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not X,Y,W,H in pixels, for example 40,10,200,180, or in fractions, for example .1,0,.5,1"
        ) from None
    return x, y, width, height


def moment(text: str) -> datetime:
    """Return an ISO date or time, in UTC if it has no zone; a date is the moment when it begins."""
    try:
        parsed = datetime.fromisoformat(text)
        return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a date or time; write 2026-03-01 or 2026-03-01T12:30"
        ) from None


def check_output(option: str, file: Path) -> None:
    """Check that `file`, which the user gave with `option`, can be written, before the work starts.

    Raises:
        UsageError: the file cannot be written.
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
        raise UsageError(f"{option} {file}: permission denied; choose a folder that you may write to")


def port(text: str) -> int:
    """Return a port; 0 is any that is free."""
    if not (text.isascii() and text.isdigit() and len(text) < 6 and int(text) <= 65_535):
        raise argparse.ArgumentTypeError(f"{text!r} is not a port; give 0 to 65535")
    return int(text)


def add_common_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that every job and `vsearch run` take."""
    add_setting_arguments(parser)
    parser.add_argument("--date", type=_day, help="landing partition to ingest (default: all)")
    parser.add_argument("--start", type=_day, help="first landing partition of a range")
    parser.add_argument("--end", type=_day, help="last landing partition of a range, included")
    parser.add_argument("--run-id", help="name of this run in tables and logs (default: time and a random suffix)")


def add_setting_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that choose the settings."""
    parser.add_argument("--env", default="local", help=f"configuration: {', '.join(environments())} (default: local)")
    parser.add_argument("--set", dest="overrides", action="append", default=[], metavar="SECTION.KEY=VALUE")
    parser.add_argument(
        "--images", metavar="DIR", help="a folder of pictures of your own; its tables and index go to var/photos/"
    )


def settings_of(arguments: argparse.Namespace) -> Settings:
    """Return the settings that the parsed arguments select."""
    with named_by_option(env="--env", override="--set", images="--images"):
        return load_settings(arguments.env, arguments.overrides, images=arguments.images)


def dates_of(arguments: argparse.Namespace) -> tuple[date, ...] | None:
    """Return the landing partitions that the parsed arguments name, None for all.

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


def run_id_of(arguments: argparse.Namespace) -> str:
    """Return the run id given, or a new one."""
    return str(arguments.run_id) if arguments.run_id else new_run_id()


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a day; write YYYY-MM-DD") from None
