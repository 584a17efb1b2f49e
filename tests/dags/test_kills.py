"""Tasks that are killed at random moments and retried by Airflow have the result of an undisturbed run."""

import json
import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

DAYS = ("2026-11-01", "2026-11-02", "2026-11-03")
KILLS = 10


def submits() -> list[int]:
    """Return the ids of the spark-submit processes that this process started."""
    processes = []
    for folder in Path("/proc").glob("[0-9]*"):
        files = (folder / "cmdline", folder / "environ")
        try:
            command, environment = (file.read_bytes() for file in files)
        except OSError:
            continue
        if b"org.apache.spark.deploy.SparkSubmit" in command and os.environ["AIRFLOW_HOME"].encode() in environment:
            processes.append(int(folder.name))
    return processes


@contextmanager
def killing(rng: random.Random, report: Callable[[str], None]) -> Iterator[list[int]]:
    """Kill spark-submits, each some random seconds after its start; yield the list of the killed processes."""
    killed: list[int] = []
    ended = threading.Event()

    def kill() -> None:
        times: dict[int, float] = {}
        while not ended.wait(0.05) and len(killed) < KILLS:
            for process in submits():
                # About every second try succeeds: a step takes some ten seconds.
                kill_time = times.setdefault(process, time.monotonic() + rng.uniform(0.5, 20))
                if process not in killed and time.monotonic() > kill_time and len(killed) < KILLS:
                    os.kill(process, signal.SIGKILL)
                    killed.append(process)
                    report(f"kill {len(killed)}")

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        yield killed
    finally:
        ended.set()
        killer.join()


def test_ten_kills_cost_time_and_nothing_else(
    database: None, dags: dict[str, Any], workspaces: tuple[Any, Any]
) -> None:
    ordered, disturbed = workspaces
    for dag_id in ("ingest", "refresh_index"):
        for task in dags[dag_id].tasks:
            task.retries, task.retry_delay, task.retry_exponential_backoff = KILLS, timedelta(0), 0
    with killing(random.Random(7), print) as killed:
        for day in DAYS:
            conf = {"env": "demo", "settings": disturbed.settings}
            runs = [dags["ingest"].test(run_conf={**conf, "date": day}), dags["refresh_index"].test(run_conf=conf)]
            states = {task.task_id: task.state for run in runs for task in run.get_task_instances()}
            assert set(states.values()) == {"success"}, json.dumps(states)
    assert len(killed) == KILLS
    ordered.ingest(*DAYS)
    expected, actual = ordered.content(), disturbed.content()
    assert actual["answers"] == expected["answers"]
    assert actual == expected
