"""Tasks killed at random moments and tried again by Airflow leave what an undisturbed run leaves."""

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
    """The processes of this user that are a spark-submit, started by this one."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with_words = (folder / "cmdline", folder / "environ")
        try:
            command, environment = (file.read_bytes() for file in with_words)
        except OSError:
            continue
        if b"org.apache.spark.deploy.SparkSubmit" in command and os.environ["AIRFLOW_HOME"].encode() in environment:
            found.append(int(folder.name))
    return found


@contextmanager
def killing(chance: random.Random, told: Callable[[str], None]) -> Iterator[list[int]]:
    """Kill spark-submits, each some random seconds after it was seen first; the list is of those that were killed."""
    killed: list[int] = []
    over = threading.Event()

    def kill() -> None:
        doomed: dict[int, float] = {}
        while not over.wait(0.05) and len(killed) < KILLS:
            for process in submits():
                # About every second try lives to its end: a step takes some ten seconds.
                at = doomed.setdefault(process, time.monotonic() + chance.uniform(0.5, 20))
                if process not in killed and time.monotonic() > at and len(killed) < KILLS:
                    os.kill(process, signal.SIGKILL)
                    killed.append(process)
                    told(f"kill {len(killed)}")

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        yield killed
    finally:
        over.set()
        killer.join()


def test_ten_kills_cost_time_and_nothing_else(database: None, dags: dict[str, Any], places: tuple[Any, Any]) -> None:
    ordered, disturbed = places
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
    expected, found = ordered.content(), disturbed.content()
    assert found["answers"] == expected["answers"]
    assert found == expected
