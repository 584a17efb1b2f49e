"""Starting and ending the service: its port, its limits on connections, and one line when it is ready."""

import errno
import resource
import socket
from collections.abc import Callable
from contextlib import suppress

import uvicorn
from starlette.types import ASGIApp

from vsearch_lib.config.settings import Serving
from vsearch_lib.errors import InvalidArgument
from vsearch_lib.serving.http.access import KEYS_VARIABLE, is_loopback
from vsearch_lib.serving.http.connections import HEADER_BYTES, bounded_connections

_OTHER_FILES = 256  # that the process has open besides connections
_KEEP_ALIVE_SECONDS = 5
_LAST_ANSWERS_SECONDS = 10  # for requests that are in work when the service ends


def bound_socket(host: str, port: int, *, has_keys: bool) -> socket.socket:
    """Return a socket that listens at `host` and `port`; port 0 is any that is free.

    Raises:
        InvalidArgument: other machines could reach the host without an API key, or the port cannot be used.
    """
    if not is_loopback(host) and not has_keys:
        raise InvalidArgument(
            "host",
            f"{host}: other machines could search without a key; set the environment variable {KEYS_VARIABLE} to keys "
            "that are separated by commas, or use 127.0.0.1",
        )
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError:
        raise InvalidArgument("host", f"{host}: there is no such host; use 127.0.0.1") from None
    bound = socket.socket(family, kind, protocol)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind(address)
    except OSError as error:
        bound.close()
        if error.errno == errno.EADDRINUSE:
            raise InvalidArgument("port", f"{port}: another program listens there; choose another port") from None
        if error.errno == errno.EADDRNOTAVAIL:
            raise InvalidArgument("host", f"{host}: this machine has no such address; use 127.0.0.1") from None
        raise InvalidArgument("port", f"{port}: {(error.strerror or str(error)).lower()}; choose another") from None
    return bound


def url_of(bound: socket.socket) -> str:
    """Return the address of the page."""
    host, port = bound.getsockname()[:2]
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def run(app: ASGIApp, bound: socket.socket, serving: Serving, *, ready: Callable[[], None]) -> None:
    """Answer requests until the process is interrupted or terminated; `ready` is called when the first can come."""
    server = _Server(server_config(app, serving), ready)
    with suppress(KeyboardInterrupt):  # raised again after the last answers are given, and feedback is written
        server.run([bound])


def server_config(app: ASGIApp, serving: Serving) -> uvicorn.Config:
    """Return uvicorn's settings."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[0] - _OTHER_FILES
    return uvicorn.Config(
        app,
        http=bounded_connections(max_connections=min(serving.max_connections, most), seconds=serving.request_seconds),
        ws="none",
        lifespan="on",
        log_config=None,
        log_level="error",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_LAST_ANSWERS_SECONDS,
        h11_max_incomplete_event_size=HEADER_BYTES,
    )


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._ready()
