"""Publishers in separate processes race, are killed, and lose replies; readers always see a complete version."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from vsearch_lib.artefact.manifest import Manifest, encode
from vsearch_lib.artefact.pointer import POINTER, read_pointer, read_version, versions
from vsearch_lib.errors import PublishConflict
from vsearch_lib.publishing.publication import publish
from vsearch_lib.publishing.retention import damages
from vsearch_lib.search.searcher import Searcher
from vsearch_lib.storage import open_store

NOW = datetime(2026, 3, 1, tzinfo=UTC)
PROJECT = Path(__file__).resolve().parents[2]

# Publishes the manifest from standard input. Before it moves the pointer, it prints "ready" and waits for a line.
WAITING = """
import json, sys
from datetime import UTC, datetime
from vsearch_lib.artefact.manifest import decode
from vsearch_lib.publishing.publication import publish
from vsearch_lib.run.exit_codes import exit_code
from vsearch_lib.storage import open_store

class Waiting:
    def __init__(self, store):
        self.store = store
    def __getattr__(self, name):
        return getattr(self.store, name)
    def replace(self, *arguments):
        print("ready", flush=True)
        sys.stdin.readline()
        self.store.replace(*arguments)

uri, manifest = json.loads(sys.stdin.readline())
manifest = decode(manifest.encode(), "standard input")
sys.exit(exit_code(lambda: publish(Waiting(open_store(uri)), manifest, now=datetime.now(UTC))))
"""

# Publishes at each URI in a child that kills itself before its nth step: an operation of the store, or a call that
# touches a local file. Prints which children were killed.
DYING = """
import json, os, signal, sys
from datetime import UTC, datetime
from vsearch_lib.artefact.manifest import decode
from vsearch_lib.publishing.publication import publish
from vsearch_lib.storage import open_store

FILES = {"open", "os.chmod", "os.link", "os.mkdir", "os.remove", "os.rename", "fcntl.flock"}

class Dying:
    def __init__(self, uri, steps):
        self.steps = steps
        self.store = open_store(uri)
        if "://" not in uri:
            sys.addaudithook(lambda event, _: self.step() if event in FILES else None)
    def step(self):
        self.steps -= 1
        if self.steps < 0:
            os.kill(os.getpid(), signal.SIGKILL)
    def __getattr__(self, name):
        self.step()
        return getattr(self.store, name)

uris, manifest = json.loads(sys.stdin.readline())
manifest = decode(manifest.encode(), "standard input")
ended = []
for steps, uri in enumerate(uris):
    child = os.fork()
    if not child:
        publish(Dying(uri, steps), manifest, now=datetime.now(UTC))
        os._exit(0)
    ended.append(os.waitpid(child, 0)[1])
print(json.dumps(ended))
"""


@pytest.fixture
def store(store_uri):
    return open_store(store_uri)


@pytest.fixture
def night(small_index, store):
    """v1 is served; return a function that builds another version on it."""
    content = small_index.catalogue(rows=20, dimension=2)
    first = small_index.build(store.uri, content, factory="IVF1,Flat", shards=1, version="v1")
    publish(store, first, now=NOW)
    return lambda version: small_index.build_delta(
        store.uri, first, small_index.chosen(content, [int(version[1:])]), version=version
    )


def process(script: str) -> subprocess.Popen:
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen([sys.executable, "-c", script], text=True, cwd=PROJECT, **pipes)


def send_line(publisher: subprocess.Popen, content: object) -> None:
    publisher.stdin.write(json.dumps(content) + "\n")
    publisher.stdin.flush()


@contextmanager
def ready(store, *manifests: Manifest) -> Iterator[list[subprocess.Popen]]:
    """Publishers that have read the pointer and written their manifests; the next line lets them move the pointer."""
    publishers = [process(WAITING) for _ in manifests]
    try:
        for publisher, manifest in zip(publishers, manifests, strict=True):
            send_line(publisher, [store.uri, encode(manifest).decode()])
        assert [publisher.stdout.readline() for publisher in publishers] == ["ready\n"] * len(publishers)
        yield publishers
    finally:
        for publisher in publishers:
            publisher.kill()
            publisher.communicate()


def test_of_two_processes_that_publish_at_once_one_wins_and_the_other_reports_it(store, night, tmp_path):
    made = [night("v2"), night("v3")]
    with ready(store, *made) as publishers:
        for publisher in publishers:
            send_line(publisher, "go")
        errors = [publisher.communicate()[1] for publisher in publishers]
        codes = [publisher.returncode for publisher in publishers]
    assert sorted(codes) == [0, 1]
    winner, loser = made[codes.index(0)], made[codes.index(1)]
    assert errors[codes.index(0)] == ""
    assert (
        errors[codes.index(1)]
        == f"vsearch: {store.uri}/CURRENT was changed by another publisher; nothing was written\n"
    )
    assert Searcher.open(store.uri, cache=tmp_path / "cache").manifest == winner
    with pytest.raises(PublishConflict, match=r"is served|serves"):
        publish(store, loser, now=NOW)


@pytest.mark.parametrize("late", ["v2", "v3"])
def test_a_build_that_ends_after_a_concurrent_one_leaves_the_pointer(store, night, late):
    """Both were built on v1; it does not matter which of the two is newer."""
    first = night("v3" if late == "v2" else "v2")
    with ready(store, night(late)) as (publisher,):
        pointer = publish(store, first, now=NOW)
        send_line(publisher, "go")
        assert "was changed by another publisher" in publisher.communicate()[1]
        assert publisher.returncode == 1
    assert read_pointer(store) == pointer
    with pytest.raises(PublishConflict):
        publish(store, night(late), now=NOW)
    assert read_pointer(store) == pointer


def test_after_a_kill_at_any_step_a_complete_version_is_served_and_a_repeat_publishes(store, night, tmp_path):
    """In a folder each call that touches a file is a step, so a publisher is also killed while it holds the lock."""
    local = "://" not in store.uri
    made = night("v2")
    before = store.list("")
    copies = [f"{store.uri}-{step}" for step in range(40 if local else 6)]
    for copy in copies:
        if local:
            shutil.copytree(store.uri, copy)
        else:
            for key in before:
                open_store(copy).write_new(key, store.read(key))
    publisher = process(DYING)
    output, error = publisher.communicate(json.dumps([copies, encode(made).decode()]) + "\n")
    assert publisher.returncode == 0, error
    ended = json.loads(output)
    killed = ended.index(0)
    assert ended == [signal.SIGKILL] * killed + [0] * (len(copies) - killed)
    assert killed == 4 if not local else killed > 12

    seen = []
    for copy in map(open_store, copies[: killed + 1]):
        searcher = Searcher.open(copy.uri, cache=tmp_path / "cache")
        # Killed before its manifest, after it, after the pointer.
        seen.append((len(versions(copy)), searcher.manifest.version))
        for version in versions(copy):
            assert damages(copy, read_version(copy, version)) == []
        assert publish(copy, made, now=NOW).version == "v2"
        assert Searcher.open(copy.uri, cache=tmp_path / "cache").manifest == made
        assert copy.list("") == sorted([*before, "manifests/v2.json"])
    assert seen == sorted(seen)
    assert set(seen) == {(1, "v1"), (2, "v1"), (2, "v2")}


def test_an_error_after_the_pointer_was_written_counts_as_published(store, night):
    """The client gave up waiting for the reply."""

    class TimingOut:
        def __getattr__(self, name: str):
            return getattr(store, name)

        def replace(self, *arguments) -> None:
            store.replace(*arguments)
            raise TimeoutError

    pointer = publish(TimingOut(), night("v2"), now=NOW)
    assert pointer == read_pointer(store)
    assert pointer.version == "v2"


# A proxy between a publisher and the S3 server: the write of the pointer succeeds, and its reply is lost.


@pytest.fixture
def lossy(bucket, monkeypatch) -> Iterator[dict]:
    """A proxy in front of the server; return its plan, which says how it answers the next write of CURRENT."""
    server = os.environ["AWS_ENDPOINT_URL"].removeprefix("http://")
    plan: dict = {"instead": "nothing", "answers": []}

    class Proxy(BaseHTTPRequestHandler):
        def forward(self) -> None:
            behind = http.client.HTTPConnection(server)
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            behind.request(self.command, self.path, body, dict(self.headers))
            answer = behind.getresponse()
            status, content = answer.status, answer.read()
            if self.command == "PUT" and self.path.endswith(f"/{POINTER}"):
                plan["answers"].append(status)
                instead, plan["instead"] = plan["instead"], None
                if instead == "nothing":
                    return
                status = instead or status
            self.send_response(status)
            for name in ("ETag", "Last-Modified", "Content-Type"):
                if answer.headers[name]:
                    self.send_header(name, answer.headers[name])
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_PUT = forward

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    proxy = ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    threading.Thread(target=proxy.serve_forever, daemon=True).start()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{proxy.server_port}")
    yield plan
    proxy.shutdown()
    proxy.server_close()


@pytest.mark.parametrize("instead", ["nothing", 503])
@pytest.mark.parametrize("store_uri", ["bucket"], indirect=True)
def test_a_write_that_succeeded_counts_as_published_although_its_reply_was_lost(store, night, lossy, instead):
    """The connection breaks, or a gateway says 503: the client's second attempt is refused because of the first."""
    made = night("v2")
    lossy["instead"] = instead
    pointer = publish(open_store(store.uri), made, now=NOW)
    assert lossy["answers"] == [200, 412]
    assert pointer == read_pointer(store)
    assert pointer.version == "v2"
