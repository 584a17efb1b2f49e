"""A Spark cluster of several processes on this machine: a fixture for the tests marked `cluster`."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pyspark
import pytest

SPARK_CLASS = Path(pyspark.__file__).parent / "bin" / "spark-class"


def wait_for(condition: Callable[[], object], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.1)


@pytest.fixture(scope="session")
def wait():
    """Waits for something, for a while."""
    return wait_for


@pytest.fixture(scope="session")
def master(bucket, tmp_path_factory) -> Iterator[str]:
    """A standalone master with two workers of one core each, which know the bucket's server; its URL."""
    folder = tmp_path_factory.mktemp("cluster")  # without settings, Spark says what happens
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"spark://127.0.0.1:{port}"
    environment = {**os.environ, "SPARK_LOCAL_IP": "127.0.0.1", "SPARK_CONF_DIR": str(folder)}
    deploy = "org.apache.spark.deploy"
    at = ("--host", "127.0.0.1", "--webui-port", "0")
    work = ("-c", "1", "-m", "1g", "-d", str(folder), url)
    commands = [
        (f"{deploy}.master.Master", *at, "--port", str(port)),
        *[(f"{deploy}.worker.Worker", *at, *work)] * 2,
    ]
    processes = []
    for number, command in enumerate(commands):
        with (folder / f"{number}.log").open("wb") as log:
            started = subprocess.Popen([SPARK_CLASS, *command], env=environment, stdout=log, stderr=log)
        processes.append(started)
        if not number:
            wait_for(lambda: "Starting Spark master" in (folder / "0.log").read_text())
    wait_for(lambda: (folder / "0.log").read_text().count("Registering worker") == 2)
    yield url
    for process in processes:
        process.terminate()
        process.wait()
