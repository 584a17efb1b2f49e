"""A task that has failed for good is reported once to the alert's receiver."""

import json
import logging
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
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
