"""What is sent to machines that have only Spark and Python; `tests/test_cluster.py` runs a night on such machines."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import pytest

from vsearch_lib.config import PROJECT, load_settings
from vsearch_lib.errors import UsageError
from vsearch_lib.spark.workers import sent_to_workers

PIN = re.compile(r"^([a-z0-9-]+)==(\S+)", re.MULTILINE)


def test_the_code_that_is_sent_is_that_of_the_driver(tmp_path):
    environment = tmp_path / "environment.tar.gz"
    environment.touch()
    first, second = sent_to_workers(str(environment))["spark.archives"].split(",")
    assert first == f"{environment}#environment"
    with zipfile.ZipFile(second.removesuffix("#vsearch")) as archive:
        sent = {name: archive.read(name) for name in archive.namelist()}
    for file in [*(PROJECT / "vsearch_lib").rglob("*.py"), *(PROJECT / "schemas").glob("*.json")]:
        assert sent[str(file.relative_to(PROJECT))] == file.read_bytes()
    assert not [name for name in sent if "__pycache__" in name]


def test_every_jar_that_is_sent_exists(tmp_path):
    jars = sent_to_workers("s3a://bucket/environment.tar.gz")["spark.jars"].split(",")
    assert any("delta-spark" in jar for jar in jars)
    assert all(Path(jar).is_file() for jar in jars)


def test_a_missing_environment_file_is_bad_usage(tmp_path):
    with pytest.raises(UsageError, match="make workers-environment"):
        sent_to_workers(str(tmp_path / "environment.tar.gz"))


def test_a_relative_path_of_an_environment_starts_at_the_current_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings = load_settings("demo", ["spark.workers_environment=environment.tar.gz"])
    assert settings.spark.workers_environment == str(tmp_path / "environment.tar.gz")


def test_workers_have_the_versions_of_the_driver():
    jobs, workers = (
        dict(PIN.findall((PROJECT / "conf" / "locks" / f"{name}.txt").read_text())) for name in ("jobs", "workers")
    )
    assert workers.items() <= jobs.items()
    assert "pyspark" not in workers
