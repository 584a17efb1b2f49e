"""Java maps an archive of Spark's classes, if it can, and starts all the same if it cannot."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from vsearch_lib.config import PROJECT
from vsearch_lib.spark import java
from vsearch_lib.spark.class_archive import ARCHIVE

START = """
import sys
from pathlib import Path
from vsearch_lib.config import load_settings
from vsearch_lib.spark import class_archive, java
from vsearch_lib.spark.session import spark_session

if sys.argv[2:]:
    class_archive.ARCHIVE = Path(sys.argv[2])
with spark_session(load_settings("demo", [f"var={sys.argv[1]}", "spark.master=local[1]"]), "classes") as spark:
    java = spark._jvm.java.lang.ProcessHandle.current().pid()
    print(spark.range(3).count(), class_archive.ARCHIVE.name in Path(f"/proc/{java}/maps").read_text())
"""
needs_proc = pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="only Linux lists what a process maps")


def started(var: Path, *archive: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-c", START, str(var), *archive], capture_output=True, text=True, timeout=300
    )
    return done.returncode, done.stdout, done.stderr


@needs_proc
def test_a_session_maps_the_archive_that_the_set_up_made(tmp_path):
    assert started(tmp_path) == (0, "3 True\n", "")


@needs_proc
def test_an_archive_may_be_in_a_folder_of_any_letters(tmp_path):
    folder = tmp_path / "Jörg's 東京"
    folder.mkdir()
    archive = shutil.copy(ARCHIVE, folder)
    assert started(tmp_path / "var", archive) == (0, "3 True\n", "")


@needs_proc
def test_a_session_starts_silently_without_an_archive_that_is_damaged(tmp_path):
    damaged = tmp_path / "damaged.jsa"
    content = bytearray(ARCHIVE.read_bytes())
    content[len(content) // 2] ^= 255
    damaged.write_bytes(content)
    assert started(tmp_path / "var", str(damaged)) == (0, "3 False\n", "")


def test_log_settings_are_those_of_the_project(spark):
    levels = spark._jvm.org.apache.logging.log4j.LogManager.getContext(False).getConfiguration()
    assert str(levels.getLoggerConfig("org.apache.spark.util.anything").getLevel()) == "ERROR"
    assert str(levels.getLoggerConfig("anything").getLevel()) == "WARN"


def test_a_folder_of_settings_that_the_user_chose_is_kept(monkeypatch):
    monkeypatch.setenv("SPARK_CONF_DIR", "/own")
    assert "SPARK_CONF_DIR" not in java._missing_variables(is_local=True)


def test_a_cluster_reads_the_folder_of_settings_of_the_project(monkeypatch):
    monkeypatch.delenv("SPARK_CONF_DIR", raising=False)
    assert java._missing_variables(is_local=False)["SPARK_CONF_DIR"] == str(PROJECT / "conf" / "spark")


def test_options_that_the_user_gave_to_java_come_last_so_that_they_win(monkeypatch):
    monkeypatch.delenv("SPARK_CONF_DIR", raising=False)
    monkeypatch.setenv("SPARK_SUBMIT_OPTS", "-Down=1")
    assert java._missing_variables(is_local=True)["SPARK_SUBMIT_OPTS"].endswith(" -Down=1")
