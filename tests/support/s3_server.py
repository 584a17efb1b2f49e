"""An S3 server on this machine: moto's, or VersityGW if the variable VERSITYGW names its program (`make test-s3`)."""

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

KEY, SECRET, REGION = "tests", "tests-secret", "us-east-1"
_SECONDS_TO_START = 20


@contextmanager
def s3_server(folder: Path) -> Iterator[str]:
    """Run a server that stores its data in `folder`, and yield its address."""
    program = os.environ.get("VERSITYGW")
    with versitygw(program, folder) if program else moto() as address:
        yield address


@contextmanager
def moto() -> Iterator[str]:
    """Run moto's server in this process."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        yield f"http://{host}:{port}"
    finally:
        server.stop()


@contextmanager
def versitygw(program: str, folder: Path) -> Iterator[str]:
    """Run VersityGW in its own process; it stores its data in `folder`."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    keys = ["--access", KEY, "--secret", SECRET, "--region", REGION]
    command = [program, "--port", f"127.0.0.1:{port}", *keys, "--quiet", "posix", str(folder)]
    with (folder.parent / "versitygw.log").open("wb") as log:
        server = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
    try:
        _wait_for(port, server, folder.parent / "versitygw.log")
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


def _wait_for(port: int, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _SECONDS_TO_START
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert server.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        else:
            return
