"""People hear once of a task that has failed for good, and of what a successful task found; of nothing else."""

import json
import logging
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

SECRET = "T0/B0/secret"


class Receiver(HTTPServer):
    """An HTTP server that records what is posted to it."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.received: list[tuple[str, Any]] = []
        self.status = 200


class Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append((self.path, json.loads(body)))
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    server = Receiver()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    connection = {"conn_type": "http", "host": f"http://127.0.0.1:{server.server_port}/hooks", "password": SECRET}
    monkeypatch.setenv("AIRFLOW_CONN_VSEARCH_ALERT", json.dumps(connection))
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def failing(database: None, dags: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Any:
    """The ingest DAG cut down to a task that fails at each of its two tries."""
    from datetime import timedelta

    from airflow.providers.apache.spark.hooks.spark_submit import SparkSubmitHook

    def fail(*_: object) -> None:
        raise RuntimeError("no cluster today")

    monkeypatch.setattr(SparkSubmitHook, "submit", fail)
    dag = dags["ingest"].partial_subset("ingest_users", include_upstream=False)
    task = dag.task_dict["ingest_users"]
    task.retries, task.retry_delay = 1, timedelta(seconds=1)
    return dag


def test_a_task_that_failed_for_good_is_reported_once(failing: Any, receiver: Receiver) -> None:
    run = failing.test()
    assert run.state == "failed"
    text = f"vsearch: ingest.ingest_users failed after 2 tries in run {run.run_id}"
    assert receiver.received == [(f"/hooks/{SECRET}", {"text": text})]


def test_an_undelivered_alert_is_logged_without_its_secret(
    failing: Any, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    receiver.status = 500
    with caplog.at_level(logging.ERROR):
        failing.test()
    assert len(receiver.received) == 1
    assert SECRET not in caplog.text


def test_without_a_receiver_a_failure_is_only_logged(failing: Any) -> None:
    assert failing.test().state == "failed"


@pytest.mark.parametrize(
    ("alerts", "lines"),
    [
        (["drift of uploads: tags: alert: dress 16.0%", "newest day: data is missing: …"], 2),
        ([], 0),
        (None, 0),
    ],
    ids=["two alerts", "none", "a trace without them"],
)
def test_the_alerts_of_a_task_that_succeeded_are_posted_in_one_message(
    database: None,
    dags: dict[str, Any],
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
    alerts: list[str] | None,
    lines: int,
) -> None:
    from airflow.providers.apache.spark.hooks.spark_submit import SparkSubmitHook

    def leave_trace(hook: Any, application: str) -> None:
        trace = {"wrote": {}, "made": {}, **({} if alerts is None else {"alerts": alerts})}
        Path(hook._env_vars["VSEARCH_TRACE_FILE"]).write_text(json.dumps(trace))

    monkeypatch.setattr(SparkSubmitHook, "submit", leave_trace)
    dag = dags["measure"].partial_subset("monitor", include_upstream=False)
    dag.task_dict["monitor"].retries = 0
    run = dag.test()
    assert run.state == "success"
    if not lines:
        assert receiver.received == []
        return
    ((_, posted),) = receiver.received
    heading, *listed = posted["text"].splitlines()
    assert heading == f"vsearch: measure.monitor raised {lines} alerts in run {run.run_id}"
    assert listed == [f"- {alert}" for alert in alerts or []]
