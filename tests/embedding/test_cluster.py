"""On a cluster of real processes the vectors are those of one machine, even where an executor is killed."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyspark
import pytest

from vsearch_lib.config import PROJECT
from vsearch_lib.encoder.registry import load_model

pytestmark = pytest.mark.cluster

IMAGES = 60
SPARK_CLASS = Path(pyspark.__file__).parent / "bin" / "spark-class"


def wait_for(condition: Callable[[], object], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.1)


@pytest.fixture(scope="module")
def master(tmp_path_factory) -> Iterator[str]:
    """A standalone master with two workers of one core each; its URL."""
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


def executors() -> list[int]:
    """The processes that run tasks."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().decode(errors="replace")
        except OSError:
            continue
        if "CoarseGrainedExecutorBackend" in command and "java" in command:
            found.append(int(process.name))
    return found


def test_a_killed_executor_costs_time_and_nothing_else(catalogue, draw, master):
    jpegs = {f"image-{seed:03d}": draw(seed) for seed in range(IMAGES)}
    catalogue.land(jpegs)
    pending = Path(catalogue.settings.lake.uri) / "pending_embeddings" / "m1"
    chosen = [f"--set={s}" for s in (f"var={catalogue.settings.var}", f"spark.master={master}")]
    command = [sys.executable, PROJECT / "jobs" / "embed_images.py", "--env=demo", *chosen]
    command.append("--set=embedding.images_per_task=1")
    job = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wait_for(lambda: len(list(pending.glob("*.parquet"))) > IMAGES // 10 or job.poll() is not None)
    written = len(list(pending.glob("*.parquet")))
    killed = executors()[0]
    os.kill(killed, signal.SIGKILL)
    out, err = job.communicate(timeout=300)
    assert job.returncode == 0, err
    assert 0 < written < IMAGES // 2
    assert f"images_embedded[all]={IMAGES}" in out
    embedder = load_model(catalogue.settings.models.uri, "m1").embedder(batch_size=8)
    found = catalogue.vectors()
    assert set(found) == set(jpegs)
    expected = embedder.embed(list(jpegs.values()))
    assert (np.stack([found[name] for name in jpegs]) * expected).sum(axis=1).min() >= 0.9999
    assert not list((Path(catalogue.settings.var) / "checkpoints").rglob("part-*"))
