"""`vsearch serve` says where it listens, ends cleanly, and refuses in one line what cannot work."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys

import httpx
import pytest

from vsearch_lib.config import load_settings
from vsearch_lib.errors import ArtefactError, InvalidArgument, UsageError
from vsearch_lib.serving.http.server import bound_socket, url_of
from vsearch_lib.serving.http.start import serve

COMMAND = [sys.executable, "-m", "vsearch_lib.cli", "serve", "--env", "demo", "--port", "0"]


def started(served, tmp_path, *options: str, **environment: str) -> tuple[subprocess.Popen, str]:
    """Start the command; return its process and the first line that it prints."""
    var = served.settings.var
    process = subprocess.Popen(
        [*COMMAND, f"--set=var={var}", f"--set=landing.uri={tmp_path}", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1", **environment},
    )
    return process, process.stdout.readline()


def test_one_line_says_where_it_listens_and_ctrl_c_writes_feedback_and_ends_with_0(served, tmp_path):
    process, line = started(served, tmp_path)
    try:
        url = re.fullmatch(r"(http://127\.0\.0\.1:\d+/) serves version v1; Ctrl-C ends it\n", line)[1]
        session = {"X-Session": "0123456789abcdef"}
        content = httpx.get(f"{url}similar/image-00004", headers=session).json()
        first = content["answers"][0]
        event = {"request_id": content["request_id"], "image_id": first["image_id"], "position": 1, "type": "click"}
        assert httpx.post(f"{url}feedback", json=event, headers=session).status_code == 202
        # Garbage and refused requests leave the log empty.
        with socket.create_connection(("127.0.0.1", int(url.split(":")[-1].strip("/")))) as connection:
            connection.sendall(b"NOT HTTP\r\n\r\n")
            connection.recv(1000)
        assert httpx.post(f"{url}search", content=b"x").status_code == 415
    finally:
        process.send_signal(signal.SIGINT)
        output, error = process.communicate(timeout=60)
    assert (process.returncode, output, error) == (0, "", "")
    (file,) = tmp_path.glob("interactions/date=*/*.jsonl")
    assert json.loads(file.read_text())["displayed_image_id"] == first["image_id"]


def test_with_keys_it_may_listen_for_other_machines_and_never_prints_them(served, tmp_path):
    key = "a-key-that-is-secret"
    process, line = started(served, tmp_path, "--host", "0.0.0.0", "--service", "neighbours", VSEARCH_API_KEYS=key)
    try:
        port = int(re.fullmatch(r"http://0\.0\.0\.0:(\d+)/ serves neighbours of version v1; Ctrl-C ends it\n", line)[1])
        assert httpx.get(f"http://127.0.0.1:{port}/latest").status_code == 401
        assert httpx.get(f"http://127.0.0.1:{port}/latest", headers={"X-API-Key": key}).json()["version"] == "v1"
    finally:
        process.send_signal(signal.SIGINT)
        output, error = process.communicate(timeout=60)
    assert (process.returncode, output, error) == (0, "", "")


def call(settings, **options) -> None:
    serve(settings, **{"host": "127.0.0.1", "port": 0, "service": "all", "open_page": False, **options})


@pytest.mark.parametrize("service", ["all", "embedding", "neighbours"])
def test_an_index_that_is_not_published_is_an_error(tmp_path, service):
    with pytest.raises(ArtefactError, match="nothing is published at"):
        call(load_settings("demo", [f"var={tmp_path}"]), service=service)


def test_a_port_that_is_taken_is_an_error(served):
    with bound_socket("127.0.0.1", 0, has_keys=False) as taken:
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(InvalidArgument, match=rf"port {port}: another program listens there"):
            call(served.settings, port=port)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org", ""])
def test_a_host_that_others_can_reach_is_refused_without_keys(served, host, monkeypatch):
    monkeypatch.delenv("VSEARCH_API_KEYS", raising=False)
    with pytest.raises(InvalidArgument, match="other machines could search without a key"):
        call(served.settings, host=host)


def test_an_address_of_another_machine_is_an_error(served, monkeypatch):
    monkeypatch.setenv("VSEARCH_API_KEYS", "a-key-that-is-secret")
    with pytest.raises(InvalidArgument, match=r"host 192\.0\.2\.1: this machine has no such address"):
        call(served.settings, host="192.0.2.1")


def test_a_short_key_is_refused(served, monkeypatch):
    monkeypatch.setenv("VSEARCH_API_KEYS", "short")
    with pytest.raises(UsageError, match="16 or more ASCII characters"):
        call(served.settings)


def test_the_front_alone_needs_the_url_of_another_service(served):
    with pytest.raises(UsageError, match="are null: set one"):
        call(served.settings, service="ranking")


def test_an_address_of_six_is_written_with_brackets():
    try:
        bound = bound_socket("::1", 0, has_keys=False)
    except InvalidArgument:
        pytest.skip("this machine has no IPv6")
    with bound:
        assert re.fullmatch(r"http://\[::1\]:\d+/", url_of(bound))
