"""What all jobs share: their dates, their run ids and their exit codes."""

import argparse
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from vsearch_lib.config import PROJECT
from vsearch_lib.context import StepContext
from vsearch_lib.errors import ArtefactError, GateRefused, PublishConflict, UsageError, VsearchError
from vsearch_lib.figures import Figure
from vsearch_lib.run.arguments import add_common_arguments, dates_of, run_id_of, settings_of
from vsearch_lib.run.bodies import body_of
from vsearch_lib.run.exit_codes import exit_code
from vsearch_lib.run.main import main
from vsearch_lib.run_ids import new_run_id, version_of

JOBS = sorted(file.stem for file in (PROJECT / "jobs").glob("*.py"))


def parsed(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_common_arguments(parser)
    return parser.parse_args(arguments)


def dates(*arguments: str):
    return dates_of(parsed(*arguments))


def test_no_date_means_every_partition():
    assert dates() is None


def test_a_date_is_one_partition():
    assert dates("--date", "2024-05-06") == (date(2024, 5, 6),)


def test_a_range_holds_both_its_ends():
    assert dates("--start", "2024-02-28", "--end", "2024-03-01") == (
        date(2024, 2, 28),
        date(2024, 2, 29),
        date(2024, 3, 1),
    )


def test_a_range_may_be_one_day():
    assert dates("--start", "2024-05-06", "--end", "2024-05-06") == (date(2024, 5, 6),)


@examples(max_examples=50, deadline=None)
@given(st.dates(date(1990, 1, 1), date(2090, 1, 1)), st.integers(0, 400))
def test_a_range_names_each_of_its_days_once_in_order(start: date, days: int):
    end = start + timedelta(days=days)
    days_named = dates("--start", str(start), "--end", str(end))
    assert (days_named[0], days_named[-1], len(days_named)) == (start, end, days + 1)
    assert list(days_named) == sorted(set(days_named))


@pytest.mark.parametrize(
    "arguments",
    [
        ("--start", "2024-05-06"),
        ("--end", "2024-05-06"),
        ("--start", "2024-05-06", "--end", "2024-05-05"),
        ("--date", "2024-05-06", "--start", "2024-05-06"),
        ("--date", "2024-05-06", "--end", "2024-05-06"),
        ("--date", "2024-05-06", "--start", "2024-05-06", "--end", "2024-05-06"),
    ],
)
def test_half_a_range_a_reversed_range_and_a_date_beside_a_range_are_bad_usage(arguments):
    with pytest.raises(UsageError, match=r"--(start|end|date)"):
        dates(*arguments)


@pytest.mark.parametrize("text", ["yesterday", "2024-02-30", "2024-13-01", "06.05.2024", ""])
def test_an_invalid_day_is_bad_usage(text, capsys):
    with pytest.raises(SystemExit) as ended:
        parsed("--date", text)
    assert ended.value.code == 2
    assert "YYYY-MM-DD" in capsys.readouterr().err


def test_options_choose_the_settings(tmp_path):
    arguments = parsed("--env", "demo", "--set", f"var={tmp_path}", "--set", "image.size=77")
    loaded = settings_of(arguments)
    assert (loaded.var, loaded.image.size) == (str(tmp_path), 77)


def test_a_run_has_the_id_of_its_option():
    assert run_id_of(parsed("--run-id", "mine")) == "mine"


def test_a_run_without_an_id_gets_a_new_one():
    assert run_id_of(parsed()) != run_id_of(parsed())
    assert new_run_id()[:8].isdigit()


# Exit codes


def raising(error: BaseException):
    def action() -> None:
        raise error

    return action


def test_success_exits_with_0_and_prints_nothing(capsys):
    assert exit_code(lambda: None) == 0
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("error", "code"),
    [(VsearchError, 1), (ArtefactError, 1), (PublishConflict, 1), (UsageError, 2), (GateRefused, 3)],
)
def test_each_error_has_its_exit_code_and_one_line(error, code, capsys):
    assert exit_code(raising(error("what is wrong"))) == code
    assert capsys.readouterr() == ("", "vsearch: what is wrong\n")


def test_an_interruption_exits_with_the_code_that_shells_expect(capsys):
    assert exit_code(raising(KeyboardInterrupt())) == 130
    assert "Traceback" not in capsys.readouterr().err


def test_a_fault_in_our_code_exits_with_1_and_prints_a_trace(capsys):
    assert exit_code(raising(ZeroDivisionError("by nought"))) == 1
    shown = capsys.readouterr().err
    assert "Traceback" in shown
    assert "by nought" in shown


def evaluate(_context: StepContext) -> list[Figure]:
    raise AssertionError("a job must not start")


@pytest.mark.parametrize(
    "arguments",
    [
        ("--env", "nope"),
        ("--env", "demo", "--set", "image.size=big"),
        ("--env", "demo", "--start", "2024-05-06"),
        ("--env", "demo", "--images", "/no/such/folder"),
    ],
)
def test_bad_usage_of_a_job_exits_with_2_and_one_line_before_it_starts(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        main(evaluate, arguments)
    assert ended.value.code == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("vsearch: ")
    assert shown.err.count("\n") == 1


@pytest.mark.parametrize("name", JOBS)
def test_every_job_can_be_loaded_and_has_a_docstring(name):
    run = body_of(name)
    assert callable(run)
    assert run.__doc__


def test_an_error_that_a_worker_raises_is_one_line_too(spark, capsys):
    def refuse(batches):
        from vsearch_lib.errors import GateRefused

        if list(batches):
            raise GateRefused("too much of it is broken; repair it")
        yield from ()

    rows = spark.range(1).mapInArrow(refuse, "id bigint")
    assert exit_code(lambda: rows.collect()) == 3
    assert capsys.readouterr().err == "vsearch: too much of it is broken; repair it\n"


def deleted(file: Path) -> None:
    file.unlink()


def truncated(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-100])


def flipped(file: Path) -> None:
    """Change one bit of a value, as storage without checksums may do."""
    content = bytearray(file.read_bytes())
    content[content.index(b"some-payload") + 3] ^= 1
    file.write_bytes(content)


@pytest.mark.parametrize("damage", [deleted, truncated, flipped])
def test_a_damaged_file_of_a_table_is_reported_in_one_line_and_never_read(spark, tmp_path, capsys, damage):
    rows = spark.createDataFrame([("some-payload",)], "payload string").coalesce(1)
    rows.write.format("delta").option("compression", "none").save(str(tmp_path / "table"))
    (file,) = (tmp_path / "table").glob("*.parquet")
    file.with_name(f".{file.name}.crc").unlink()
    damage(file)
    assert exit_code(lambda: spark.read.format("delta").load(str(tmp_path / "table")).collect()) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert f"vsearch: file:{file} cannot be read" in line
    assert line.endswith(
        'put its backup back, or repair the table as docs/runbook.md says under "A corrupted partition"'
    )


def test_a_version_sorts_after_the_previous_one_even_within_a_second():
    versions = [version_of("run-0")]
    for number in range(1, 4):
        versions.append(version_of(f"run-{number}", after=versions[-1]))
    assert versions == sorted(versions)
    assert len(set(versions)) == 4


def test_a_version_does_not_wait_for_a_clock_that_is_ahead():
    assert version_of("run", after="99991231T235959Z-00000000") < "9999"
