"""Runs each case through the commands that people type; prints a line for each and exits with 1 if one failed.

usage: python -m tests.cases.run_cases [NUMBER ...] [--keep]
"""

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tests.cases.case import TAKES_ALL, Case, Outcome, Part, account_line
from tests.cases.catalogue import CASES
from tests.cases.lake import differences, read_actual
from tests.cases.nights import CHECKS
from tests.cases.processes import (
    INGEST_SECONDS,
    NotRun,
    as_unknown_user,
    command,
    obeying_permissions,
    python,
    setting,
    vsearch,
)

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_PROBLEMS_SHOWN = 4  # of a case
_UNKNOWN_UID = 54_321
_DAY = "2026-11-01"
_DEFAULT_SHARE = 0.05


@dataclass(frozen=True)
class Circumstances:
    """How the commands of a case are run."""

    prefix: Sequence[str] = ()  # comes before the command line
    environment: Mapping[str, str | None] = field(default_factory=dict)  # None: the variable is left out


class Lakes:
    """Reads the lakes that the commands wrote, in one session that the first call starts."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._session: SparkSession | None = None

    def differences(self, var: Path, case: Case, part: Part, expected: Mapping[str, Outcome]) -> Iterator[str]:
        """Yield how the lake below `var` differs from the expected outcome of each table."""
        from vsearch_lib.config import load_settings
        from vsearch_lib.lake import Lake
        from vsearch_lib.spark.session import start_session

        if self._session is None:
            self._session = start_session(load_settings("demo", [f"var={self._folder}"]), "cases")
        lake = Lake(self._session, f"{var}/lake", "cases")
        for table, outcome in expected.items():
            folder = case_folder(self._folder, case) / part.folder
            source = str(folder / table if part.is_landing_zone else folder)
            actual = read_actual(lake, table).below(source, None if table == "images" else "")
            yield from (f"{table}: {difference}" for difference in differences(outcome, actual))

    def close(self) -> None:
        """Stop the session."""
        if self._session is not None:
            self._session.stop()


def case_folder(folder: Path, case: Case) -> Path:
    """Return the folder of a case's input."""
    return folder / "inputs" / case.label


def main() -> None:
    """Run the chosen cases, and exit with 1 if one failed."""
    known = [case.number for case in CASES]
    parser = argparse.ArgumentParser(prog="python -m tests.cases.run_cases", description=__doc__.splitlines()[0])
    parser.add_argument("numbers", nargs="*", type=int, metavar="NUMBER", help="number of a case (default: all cases)")
    parser.add_argument("--keep", action="store_true", help="keep the inputs and lakes, and print their folder")
    chosen = parser.parse_args()
    if unknown := sorted(set(chosen.numbers) - set(known)):
        parser.error(f"no such case: {', '.join(map(str, unknown))}; there are {', '.join(map(str, known))}")
    folder = Path(tempfile.mkdtemp(prefix="vsearch-cases-"))
    folder.chmod(0o755)  # a case that runs as another user reads its input here
    lakes = Lakes(folder)
    try:
        results = [_run_and_report(case, folder, lakes) for case in CASES if case.number in (chosen.numbers or known)]
    finally:
        lakes.close()
        if chosen.keep:
            print(f"kept: {folder}")
        else:
            _remove(folder)
    sys.exit(0 if all(results) else 1)


def _run_and_report(case: Case, folder: Path, lakes: Lakes) -> bool:
    """Run a case, print its line, and return whether it has no problem."""
    began, problems = time.monotonic(), list[str]()
    try:
        case.build(case_folder(folder, case))
        problems += _problems(case, folder, lakes)
        result = f"failed: {'; '.join(problems[:_PROBLEMS_SHOWN])}" if problems else "ok"
    except NotRun as error:
        result = f"not run: {error}"
    more = f"; and {len(problems) - _PROBLEMS_SHOWN} more" if len(problems) > _PROBLEMS_SHOWN else ""
    print(f"{case.label:<36} {time.monotonic() - began:5.0f} s  {result}{more}", flush=True)
    return not problems


def _problems(case: Case, folder: Path, lakes: Lakes) -> Iterator[str]:
    var = folder / f"var{case.number:02d}"
    if case.number in CHECKS:
        yield from CHECKS[case.number](case_folder(folder, case), var)
    for part in case.parts:
        var = folder / f"var{case.number:02d}-{part.folder}"
        circumstances = _circumstances(case, var)
        name = f"{part.folder}: " if len(case.parts) > 1 else ""
        yield from (f"{name}{problem}" for problem in _part_problems(case, part, folder, var, circumstances, lakes))
    if case.number == 31:
        yield from _problems_of_a_missing_day(case, folder, lakes)


def _circumstances(case: Case, var: Path) -> Circumstances:
    if case.number == 3:
        return Circumstances(environment={"LANG": None, "LC_ALL": "POSIX"})
    if case.number == 5:
        return Circumstances(prefix=obeying_permissions())
    if case.number == 36:
        prefix = as_unknown_user(_UNKNOWN_UID)
        var.mkdir()
        os.chown(var, _UNKNOWN_UID, _UNKNOWN_UID)
        return Circumstances(prefix, {"HOME": str(var)})
    return Circumstances()


def _part_problems(
    case: Case, part: Part, folder: Path, var: Path, circumstances: Circumstances, lakes: Lakes
) -> Iterator[str]:
    """Ingest a part with a command, and yield what is wrong with how it ended and with the lake afterwards."""
    arguments = [*circumstances.prefix, *_ingest(part, case_folder(folder, case) / part.folder, var)]

    def run(*more: str):
        return command([*arguments, *more], seconds=INGEST_SECONDS, environment=circumstances.environment)

    if part.stops_by_default:
        yield from run().problems(3, message="more than quality.max_refused_share")
        empty = {table: Outcome() for table in part.tables}
        yield from (f"it stopped, and {difference}" for difference in lakes.differences(var, case, part, empty))
    result = run(*([f"--set={TAKES_ALL}"] if _is_over_default(part) else []))
    yield from result.problems(0)
    lines = (account_line(table, [outcome]) for table, outcome in part.tables.items())
    yield from (f"it did not print {line!r}" for line in lines if line not in result.output.splitlines())
    yield from lakes.differences(var, case, part, part.tables)


def _ingest(part: Part, folder: Path, var: Path) -> list[str]:
    if part.is_landing_zone:
        folders = (setting("landing.uri", folder), setting("landing.images", folder / "images"))
        return vsearch("run", "ingest", "--env=demo", setting("var", var), *folders)
    job = python("jobs/ingest_images.py", "--env=demo")
    return [*job, setting("var", var), setting("landing.images", part.address(folder))]


def _is_over_default(part: Part) -> bool:
    """Return whether more of a table is refused than the default share allows; `unreadable` does not count."""
    shares = []
    for outcome in part.tables.values():
        refused = sum(reason != "unreadable" for reason in outcome.refused.values())
        shares.append(refused / max(1, refused + len(outcome.accepted)))
    return max(shares) > _DEFAULT_SHARE


def _problems_of_a_missing_day(case: Case, folder: Path, lakes: Lakes) -> Iterator[str]:
    (part,) = case.parts
    zone, var = case_folder(folder, case) / part.folder, folder / "var31-by-date"
    result = command([*_ingest(part, zone, var), f"--date={_DAY}"], seconds=INGEST_SECONDS)
    yield from result.problems(0)
    for table in ("images", "users", "interactions", "judgements"):
        line = f"{table}: nothing landed: there is no folder {zone / table / f'date={_DAY}'}"
        if line not in result.output.splitlines():
            yield f"with a date it did not print {line!r}"
    empty = {table: Outcome() for table in part.tables}
    yield from (f"with a date {difference}" for difference in lakes.differences(var, case, part, empty))


def _remove(folder: Path) -> None:
    for parent, folders, _ in os.walk(folder):
        for name in folders:
            if not os.path.islink(os.path.join(parent, name)):
                os.chmod(os.path.join(parent, name), 0o700)  # some cases lock a folder
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
