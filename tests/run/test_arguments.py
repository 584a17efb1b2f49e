"""The arguments of a command line are checked when they are parsed, and an error is one line."""

import argparse
import os
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from vsearch_lib.config import PROJECT
from vsearch_lib.errors import UsageError
from vsearch_lib.run.arguments import (
    Parser,
    add_common_arguments,
    check_output,
    count,
    crop,
    dates_of,
    moment,
    run_id_of,
    settings_of,
)
from vsearch_lib.run_ids import new_run_id


@pytest.mark.parametrize("text", ["0", "-1", "", "ten", "1.5", "²", "٣", "9" * 5000, "1e3", "10000000000"])
def test_an_invalid_count_is_bad_usage(text):
    with pytest.raises(argparse.ArgumentTypeError, match="is not a number from 1"):
        count(text)


def test_a_count_is_read():
    assert (count("1"), count("1000000")) == (1, 1_000_000)


@pytest.mark.parametrize("text", ["", "1,2,3", "1,2,3,4,5", "a,b,c,d", "1;2;3;4"])
def test_an_invalid_crop_is_bad_usage(text):
    with pytest.raises(argparse.ArgumentTypeError, match="X,Y,W,H"):
        crop(text)


def test_a_crop_is_read_in_pixels_and_in_fractions():
    assert crop("40,10,200,180") == (40, 10, 200, 180)
    assert crop(".1,0, 0.5,1") == (0.1, 0, 0.5, 1)


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01", "2026-03-01T25:00", "12", "0001-01-01T00:00+14:00"])
def test_an_invalid_time_is_bad_usage(text):
    with pytest.raises(argparse.ArgumentTypeError, match="is not a date or time"):
        moment(text)


def test_a_date_begins_at_midnight_utc_and_a_time_may_have_a_zone():
    assert moment("2026-03-01") == datetime(2026, 3, 1, tzinfo=UTC)
    assert moment("2026-03-01T12:30") == datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
    assert moment("2026-03-01T12:30+02:00") == datetime(2026, 3, 1, 10, 30, tzinfo=UTC)


def test_bad_usage_is_one_line_and_exits_with_2(capsys):
    parser = Parser(prog="vsearch")
    parser.add_argument("-k", type=count)
    with pytest.raises(SystemExit) as ended:
        parser.parse_args(["-k", "0\n\x1b"])
    assert ended.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("vsearch: argument -k: ")
    assert line.endswith("see vsearch --help")


def test_an_output_in_an_existing_folder_is_accepted(tmp_path):
    check_output("--html", tmp_path / "new.html")
    check_output("--html", Path("new.html"))
    (tmp_path / "old.html").touch()
    check_output("--html", tmp_path / "old.html")


@pytest.mark.parametrize(
    ("name", "message"),
    [(".", "this is a folder"), ("none/out.html", "there is no folder"), ("file/out.html", "there is no folder")],
)
def test_an_output_that_cannot_be_written_is_bad_usage(tmp_path, name, message):
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match=message):
        check_output("--html", tmp_path / name)


@pytest.mark.skipif(
    os.geteuid() == 0, reason="root may read and write everything: case 37 of make test-cases removes that right"
)
def test_an_output_without_write_permission_is_bad_usage(tmp_path):
    tmp_path.chmod(0o555)
    with pytest.raises(UsageError, match="permission denied"):
        check_output("--html", tmp_path / "out.html")


def test_a_page_that_cannot_be_written_is_reported_before_anything_is_searched(tmp_path):
    command = [sys.executable, "-m", "vsearch_lib.cli", "search", "--env", "demo", f"--set=var={tmp_path}"]
    arguments = ["--image", str(tmp_path / "none.jpg"), "--html", str(tmp_path / "none" / "out.html")]
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    done = subprocess.run([*command, *arguments], capture_output=True, text=True, env=environment)
    assert (done.returncode, done.stdout) == (2, "")
    assert (
        done.stderr
        == f"vsearch: --html {tmp_path}/none/out.html: there is no folder {tmp_path}/none; make it, or choose another\n"
    )


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
