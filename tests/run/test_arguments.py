"""The arguments of a command line are checked when they are parsed, and an error is one line."""

import argparse
import os
import subprocess
import sys
from pathlib import Path

import pytest

from vsearch_lib.config import PROJECT
from vsearch_lib.errors import UsageError
from vsearch_lib.run.arguments import Parser, check_output, count, crop


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
