"""A session starts Java with the settings that the environment lacks; each test has a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

from vsearch_lib.config import PROJECT

SPARK_SUBMIT = Path(sys.executable).with_name("spark-submit")
BRIEF_JVM = "-XX:TieredStopAtLevel=1"
WRITE_AND_READ = """
import sys
from vsearch_lib.config import load_settings
from vsearch_lib.run.exit_codes import exit_code
from vsearch_lib.spark.session import spark_session

def write_and_read():
    settings = load_settings("demo", [f"var={sys.argv[1]}", "spark.master=local[1]"])
    with spark_session(settings, "java") as spark:
        table = f"{settings.lake.uri}/table"
        spark.createDataFrame([("größe",)], "word string").write.format("delta").save(table)
        (row,) = spark.read.format("delta").load(table).collect()
        print(row["word"], spark.sparkContext.sparkUser())

sys.exit(exit_code(write_and_read))
"""


def run(command: list[str], **environment: str | None) -> subprocess.CompletedProcess[str]:
    variables = {**os.environ, "PYTHONPATH": str(PROJECT), "SPARK_SUBMIT_OPTS": BRIEF_JVM, **environment}
    present = {name: value for name, value in variables.items() if value is not None}
    return subprocess.run(command, capture_output=True, encoding="utf-8", env=present, timeout=300)


def test_under_the_posix_locale_a_user_id_without_a_name_may_use_a_folder_of_any_letters(tmp_path):
    unknown = ["unshare", "--user", "--map-user=54321"]
    may_change_user = not subprocess.run([*unknown, "true"], capture_output=True).returncode
    var = tmp_path / "Jörg 東京"
    command = [*(unknown if may_change_user else []), sys.executable, "-c", WRITE_AND_READ, str(var)]
    nameless = dict.fromkeys(("HOME", "USER", "LOGNAME", "HADOOP_USER_NAME")) if may_change_user else {}
    done = run(command, LANG=None, LC_ALL="POSIX", **nameless)
    assert (done.returncode, done.stderr) == (0, "")
    word, user = done.stdout.split()
    assert word == "größe"
    assert user == "54321" or not may_change_user
    assert sorted(os.listdir(tmp_path)) == ["Jörg 東京"]
    assert (var / "lake" / "table" / "_delta_log").is_dir()


def test_a_java_that_would_garble_names_is_refused_in_one_line_that_says_what_to_set(tmp_path):
    script = tmp_path / "job.py"
    script.write_text(WRITE_AND_READ)
    done = run(
        [str(SPARK_SUBMIT), "--master", "local[1]", str(script), str(tmp_path / "var")],
        LANG=None,
        LC_ALL="POSIX",
        PYSPARK_DRIVER_PYTHON=sys.executable,
        SPARK_CONF_DIR=str(PROJECT / "conf" / "spark"),
    )
    assert done.returncode != 0
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("vsearch: ")]
    assert "set LC_ALL=C.UTF-8" in line
    assert not (tmp_path / "var" / "lake").exists()
