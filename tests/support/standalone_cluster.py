"""Fixtures for `tests/test_cluster.py`: a Spark cluster of several processes on this machine."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pyspark
import pytest

SPARK = Path(pyspark.__file__).parent
JARS = Path(__file__).resolve().parents[2] / "conf" / "locks" / "jars.sha256"


def wait_for(condition: Callable[[], object], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"the condition did not hold within {seconds} s"
        time.sleep(0.1)


@pytest.fixture(scope="session")
def wait():
    """The function `wait_for`, which waits until a condition holds."""
    return wait_for


@contextmanager
def standalone_cluster(folder: Path, **environment: str) -> Iterator[str]:
    """Run a standalone master and two workers of one core each; yield the URL of the master."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"spark://127.0.0.1:{port}"
    # A configuration folder without files leaves Spark's own log settings, so that its log reports what happens.
    environment = {**os.environ, **environment, "SPARK_LOCAL_IP": "127.0.0.1", "SPARK_CONF_DIR": str(folder)}
    deploy = "org.apache.spark.deploy"
    host = ("--host", "127.0.0.1", "--webui-port", "0")
    work = ("-c", "1", "-m", "1g", "-d", str(folder), url)
    commands = [
        (f"{deploy}.master.Master", *host, "--port", str(port)),
        *[(f"{deploy}.worker.Worker", *host, *work)] * 2,
    ]
    processes = []
    for number, command in enumerate(commands):
        with (folder / f"{number}.log").open("wb") as log:
            started = subprocess.Popen(
                [SPARK / "bin" / "spark-class", *command], env=environment, stdout=log, stderr=log
            )
        processes.append(started)
        if not number:
            wait_for(lambda: "Starting Spark master" in (folder / "0.log").read_text())
    wait_for(lambda: (folder / "0.log").read_text().count("Registering worker") == 2)
    try:
        yield url
    finally:
        for process in processes:
            process.terminate()
            process.wait()


@pytest.fixture(scope="module")
def bare_master(bucket, tmp_path_factory) -> Iterator[str]:
    """The URL of a cluster whose workers have Spark as it is published, and a Python without packages."""
    home = tmp_path_factory.mktemp("spark")
    for part in ("bin", "python"):
        (home / part).symlink_to(SPARK / part)
    ours = {line.split()[1] for line in JARS.read_text().splitlines()}
    (home / "jars").mkdir()
    for jar in (SPARK / "jars").iterdir():
        if jar.name not in ours:
            (home / "jars" / jar.name).symlink_to(jar)
    folder = tmp_path_factory.mktemp("bare")
    path = os.pathsep.join(entry for entry in os.environ["PATH"].split(os.pathsep) if ".venv" not in entry)
    with standalone_cluster(folder, SPARK_HOME=str(home), PYTHONPATH="", PATH=path) as url:
        yield url
