"""Airflow with its scheduler: a week ingested backwards, several days at once, has the result of the days in order."""

import json
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

PROJECT = Path(__file__).resolve().parents[2]
DAYS = [f"2026-11-{day:02d}" for day in range(1, 8)]  # the demo's catalogue
DEADLINE_SECONDS = 1500


@dataclass(frozen=True)
class Airflow:
    """A running Airflow: its command, and where its log is."""

    environment: dict[str, str]
    log: Path

    def __call__(self, *arguments: str) -> str:
        """Run an `airflow` command and return what it printed."""
        command = [PROJECT / ".venv-airflow" / "bin" / "airflow", *arguments]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def runs(self, dag_id: str) -> list[dict[str, Any]]:
        output = self("dags", "list-runs", dag_id, "--output", "json")
        # Airflow may print log lines first.
        return list(json.loads(next(line for line in output.splitlines() if line.startswith("["))))


def wait_for(condition: Callable[[], object], what: str) -> None:
    end = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < end, f"{what} did not happen in time"
        time.sleep(3)


@pytest.fixture
def airflow(workspaces: tuple[Any, Any], tmp_path: Path) -> Iterator[Airflow]:
    """Airflow as `make airflow` starts it, two jobs at a time, every run with the second workspace's settings."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    inherited = {name: value for name, value in os.environ.items() if "AIRFLOW" not in name}
    environment = {
        **inherited,
        "AIRFLOW_HOME": str(tmp_path / "airflow"),
        "AIRFLOW_VAR_VSEARCH_ENV": "demo",
        "AIRFLOW_VAR_VSEARCH_SETTINGS": json.dumps(workspaces[1].settings),
        "AIRFLOW_CONN_SPARK_DEFAULT": '{"conn_type": "spark", "host": "local[2]"}',
        "SPARK_SLOTS": "2",
    }
    log = tmp_path / "start.log"
    with log.open("wb") as sink:
        started = subprocess.Popen(
            [PROJECT / "conf" / "airflow" / "start.sh", str(port)], env=environment, stdout=sink, stderr=sink
        )
    try:
        wait_for(lambda: "Ctrl-C" in log.read_text() or started.poll() is not None, "Airflow's start")
        assert started.poll() is None, log.read_text()
        yield Airflow({**environment, "AIRFLOW__CORE__DAGS_FOLDER": str(PROJECT / "dags")}, log)
    finally:
        started.terminate()
        started.wait(timeout=60)


def test_a_backfill_in_reverse_order_beside_a_night_has_the_result_of_the_days_in_order(
    airflow: Airflow, workspaces: tuple[Any, Any]
) -> None:
    ordered, scheduled = workspaces
    for dag_id in ("ingest", "refresh_index"):
        airflow("dags", "unpause", dag_id)
    # Unpausing starts the night that was due last; the week is ingested at the same time.
    arguments = ("--from-date", DAYS[0], "--to-date", DAYS[-1], "--max-active-runs", "2", "--run-backwards")
    airflow("backfill", "create", "--dag-id", "ingest", *arguments)
    ordered.ingest(*DAYS)

    def ended() -> bool:
        runs = [*airflow.runs("ingest"), *airflow.runs("refresh_index")]
        waiting = [run for run in runs if run["state"] not in ("success", "failed")]
        return len(airflow.runs("ingest")) == len(DAYS) + 1 and not waiting

    wait_for(ended, "the end of every run")
    runs = {dag_id: airflow.runs(dag_id) for dag_id in ("ingest", "refresh_index")}
    assert {run["state"] for dag_runs in runs.values() for run in dag_runs} == {"success"}
    started_by = sorted(run["run_id"].partition("__")[0] for run in runs["ingest"])
    assert started_by == ["backfill"] * len(DAYS) + ["scheduled"]
    expected, actual = ordered.content(), scheduled.content()
    assert actual["answers"] == expected["answers"]
    assert actual == expected
