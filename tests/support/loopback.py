"""A real server on loopback in this process, and raw connections to it."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from vsearch_lib.config import load_settings
from vsearch_lib.serving.http.server import bound_socket, server_config


@contextmanager
def serving(app, **limits) -> Iterator[uvicorn.Server]:
    """Serve `app` on loopback in a thread; `address` is where."""
    settings = load_settings("demo").serving.model_copy(update=limits)
    bound = bound_socket("127.0.0.1", 0, has_keys=False)
    server = uvicorn.Server(server_config(app, settings))
    server.address = bound.getsockname()
    thread = threading.Thread(target=server.run, args=([bound],))
    thread.start()
    try:
        wait_until(lambda: server.started)
        yield server
    finally:
        server.should_exit = True
        thread.join(20)
        assert not thread.is_alive()


def wait_until(condition, seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def connected(server) -> socket.socket:
    return socket.create_connection(server.address, timeout=10)


def answer(connection: socket.socket) -> bytes:
    """Return all that the server sends until it closes the connection."""
    received = b""
    try:
        while part := connection.recv(65536):
            received += part
    except ConnectionResetError:
        pass
    return received


def receive_until(connection: socket.socket, end: bytes) -> None:
    received = b""
    while not received.endswith(end):
        received += connection.recv(65536)


def seconds_until_cut_off(connection: socket.socket, part: bytes) -> float:
    """Send `part` again and again until the server has closed the connection."""
    began = time.monotonic()
    try:
        while time.monotonic() - began < 10:
            connection.sendall(part)
            time.sleep(0.02)
    except OSError:
        pass
    return time.monotonic() - began


def resident_bytes() -> int:
    with open("/proc/self/statm") as figures:
        return int(figures.read().split()[1]) * 4096
