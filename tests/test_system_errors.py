"""A problem that a user can solve is reported in one line, whether Python, Java or a library noticed it."""

import os
import resource
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from vsearch_lib import system_errors
from vsearch_lib.config import PROJECT, load_settings
from vsearch_lib.errors import VsearchError
from vsearch_lib.run.exit_codes import exit_code
from vsearch_lib.spark import session
from vsearch_lib.storage import open_store


def line_of(action, capsys) -> str:
    """Return the one line that a command prints if `action` fails."""
    assert exit_code(action) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    (line,) = printed.err.splitlines()
    assert line.startswith("vsearch: ")
    return line


@contextmanager
def file_size_limit(size: int):
    """Let no file grow beyond `size`, as on a full disk; Python ignores the signal that comes with it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_is_reported_with_the_folder_of_the_file(tmp_path, capsys):
    def write() -> None:
        with file_size_limit(1000):
            open_store(str(tmp_path / "models")).write_new("m1/weights", b"x" * 5000)

    assert f"{tmp_path}/models/m1: file too large" in line_of(write, capsys)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
def test_an_open_file_is_named_when_its_disk_is_full(capsys):
    def write() -> None:
        with Path("/dev/full").open("w") as sink:
            sink.write("text")

    assert "/dev/full: no space left on device; the disk is full: make room" in line_of(write, capsys)


def folder_below_a_file(folder: Path) -> None:
    (folder / "file").touch()
    (folder / "file" / "below").mkdir(parents=True)


def folder_as_a_file(folder: Path) -> None:
    folder.write_text("x")


def long_name(folder: Path) -> None:
    (folder / ("a" * 300)).write_text("x")


@pytest.mark.parametrize(
    ("action", "what"),
    [
        (folder_below_a_file, "not a directory"),
        (folder_as_a_file, "is a directory"),
        (long_name, "file name too long"),
    ],
)
def test_what_the_system_refuses_is_reported_with_its_path(tmp_path, capsys, action, what):
    line = line_of(lambda: action(tmp_path), capsys)
    assert what in line
    assert str(tmp_path) in line


@pytest.mark.parametrize("number", sorted(system_errors._TO_DO))
def test_the_line_for_every_cause_says_what_to_do(number, capsys):
    def fail() -> None:
        raise OSError(number, os.strerror(number), "/data/file")

    line = line_of(fail, capsys)
    assert line.startswith("vsearch: /data/file: ")
    assert "; " in line


TRACES = {
    "Caused by: java.io.FileNotFoundException: /var/x/part-0.parquet (Permission denied)\n\tat java.base/": (
        "/var/x/part-0.parquet: permission denied"
    ),
    "SparkException: [TASK_WRITE_FAILED] Task failed while writing rows to file:/var/x. SQLSTATE: 58030\n\tat a.b(C)\n"
    "Caused by: java.io.IOException: No space left on device\n\tat": "/var/x: no space left on device",
    "java.nio.file.FileSystemException: /var/x/y: Read-only file system\n\tat": "/var/x/y: read-only file system",
    "java.nio.file.AccessDeniedException: /var/x/y\n\tat": "/var/x/y: permission denied",
    "java.io.IOException: Mkdirs failed to create file:/var/x (exists=false, cwd=file:/)": "/var/x: this folder cannot",
    "Generic LocalFileSystem error: Unable to copy data to file: Disk quota exceeded (os error 122)": (
        "a file: disk quota exceeded"
    ),
    "PythonException: \n  File x\nOSError: [Errno 28] No space left on device: '/tmp/y'\n": "/tmp/y: no space left",
}


@pytest.mark.parametrize(("trace", "line"), TRACES.items(), ids=range(len(TRACES)))
def test_a_cause_in_a_trace_is_reported_in_one_line(trace, line):
    reported = system_errors.explain(RuntimeError(trace))
    assert str(reported).startswith(line)
    assert "\n" not in str(reported)


@pytest.mark.parametrize("fault", [KeyError("No space"), ValueError("permission"), OSError("no number"), TypeError()])
def test_a_fault_in_our_code_is_not_taken_for_an_error_of_the_system(fault):
    assert system_errors.explain(fault) is None


def test_a_folder_that_spark_cannot_make_is_reported_in_one_line(spark, tmp_path, capsys):
    (tmp_path / "file").touch()
    assert f"{tmp_path}/file" in line_of(lambda: spark.range(1).write.parquet(f"{tmp_path}/file/below"), capsys)


def test_a_var_that_cannot_be_written_is_reported_before_java_starts(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(VsearchError, match=f"var = {tmp_path}/file: .*not a directory"):
        session._log_file(load_settings("demo", [f"var={tmp_path}/file"]))


def test_a_missing_java_is_reported_in_one_line(tmp_path):
    (tmp_path / "java" / "bin").mkdir(parents=True)
    (tmp_path / "java" / "bin" / "java").symlink_to("/bin/false")
    code = (
        "import sys; from vsearch_lib.run.exit_codes import exit_code;"
        "from vsearch_lib.spark.session import start_session;"
        "from vsearch_lib.config import load_settings;"
        f"sys.exit(exit_code(lambda: start_session(load_settings('demo', ['var={tmp_path}']), 'x')))"
    )
    environment = {**os.environ, "JAVA_HOME": str(tmp_path / "java"), "PYTHONPATH": str(PROJECT)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith("vsearch: Java, which Spark needs, did not start")
    assert done.stderr.count("\n") == 1


def run(code: str, **streams) -> subprocess.CompletedProcess[str]:
    program = f"import sys; from vsearch_lib.run.exit_codes import exit_code; sys.exit(exit_code(lambda: {code}))"
    environment = {**os.environ, "PYTHONPATH": str(PROJECT), "PYTHONUNBUFFERED": ""}
    return subprocess.run(
        [sys.executable, "-c", program], env=environment, stderr=subprocess.PIPE, text=True, **streams
    )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
def test_an_output_that_cannot_be_written_is_reported_in_one_line():
    with Path("/dev/full").open("w") as full:
        done = run("print('text')", stdout=full)
    assert done.returncode == 1
    assert done.stderr.startswith("vsearch: standard output: no space left on device")
    assert done.stderr.count("\n") == 1


def test_a_reader_that_closes_the_pipe_causes_no_message():
    reading, writing = os.pipe()
    os.close(reading)
    done = run("print('text')", stdout=writing)
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, "")


def test_a_program_that_cannot_be_run_is_named():
    trace = 'java.io.IOException: Cannot run program "/x/python": error=13, Permission denied'
    assert str(system_errors.explain(RuntimeError(trace))).startswith("/x/python: permission denied; ")
