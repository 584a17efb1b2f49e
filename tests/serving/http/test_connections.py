"""Connections that send slowly, or nothing, are closed, and do not keep others out."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest
import uvicorn
from starlette.requests import Request
from starlette.responses import PlainTextResponse

from tests.support.loopback import (
    answer,
    connected,
    receive_until,
    resident_bytes,
    seconds_until_cut_off,
    serving,
    wait_until,
)


async def echo(scope, receive, send) -> None:
    """Answer with `n` bytes, without reading the body."""
    if scope["type"] == "lifespan":
        for _ in range(2):  # startup and shutdown
            await send({"type": f"{(await receive())['type']}.complete"})
        return
    request = Request(scope, receive)
    await PlainTextResponse("x" * int(request.query_params.get("n", 1)))(scope, receive, send)


@pytest.fixture
def quick() -> Iterator[uvicorn.Server]:
    with serving(echo, request_seconds=0.5, max_connections=40) as server:
        yield server


GET = b"GET /?n=3 HTTP/1.1\r\nHost: localhost\r\n\r\n"
LAST = GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")


@pytest.mark.parametrize("sent", [b"", b"G", b"GET / HTTP/1.1\r\nHost: localhost\r\nX-A: "])
def test_a_connection_that_does_not_complete_its_headers_is_closed(quick, sent):
    with connected(quick) as connection:
        connection.sendall(sent)
        began = time.monotonic()
        assert answer(connection) == b""
        assert 0.2 < time.monotonic() - began < 5
    wait_until(lambda: not quick.server_state.connections)


def test_headers_that_come_byte_by_byte_are_cut_off(quick):
    with connected(quick) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nX-A: ")
        assert seconds_until_cut_off(connection, b"a") < 5


def test_a_second_request_on_a_connection_has_the_same_time_for_its_headers(quick):
    with connected(quick) as connection:
        connection.sendall(GET)
        receive_until(connection, b"xxx")
        connection.sendall(b"GET")
        assert answer(connection) == b""


def test_requests_that_are_sent_before_the_answer_are_answered_in_order(quick):
    with connected(quick) as connection:
        connection.sendall(GET + GET.replace(b"n=3", b"n=4") + LAST)
        bodies = [part.rpartition(b"\r\n\r\n")[2] for part in answer(connection).split(b"HTTP/1.1 200 OK")[1:]]
        assert bodies == [b"xxx", b"xxxx", b"xxx"]


def test_a_client_that_does_not_read_is_cut_off(quick):
    with connected(quick) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.sendall(GET.replace(b"n=3", b"n=50000000"))
        wait_until(lambda: quick.server_state.connections)
        wait_until(lambda: not quick.server_state.connections)


def test_a_body_after_the_answer_does_not_keep_a_connection_open(quick):
    """The app answers at once, and the client sends on."""
    head = b"POST /?n=3 HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    with connected(quick) as connection:
        connection.sendall(head)
        receive_until(connection, b"xxx")
        assert seconds_until_cut_off(connection, b"5\r\nabcde\r\n") < 5


def test_many_idle_connections_do_not_keep_a_new_one_out(quick):
    idle = [connected(quick) for _ in range(100)]
    try:
        with connected(quick) as connection:
            connection.sendall(LAST)
            assert answer(connection).endswith(b"xxx")
        assert len(quick.server_state.connections) <= 41
    finally:
        for connection in idle:
            connection.close()


@pytest.mark.parametrize(
    "sent",
    [
        b"NOT HTTP\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",  # no Host
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET /\x00 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX: a\x00b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX : a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + 400_000 * b"a" + b"\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + 30 * b"9" + b"\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # TLS
    ],
    ids=range(13),
)
def test_what_is_not_http_gets_400_in_one_line_of_json(quick, sent):
    with connected(quick) as connection:
        with suppress(OSError):  # it may be refused, and its connection reset, while it still sends
            connection.sendall(sent)
            connection.shutdown(socket.SHUT_WR)
        received = answer(connection)
    # A client that is still sending when it is refused may see the reset instead of the answer.
    assert received.startswith(b"HTTP/1.1 400") or (received == b"" and len(sent) > 100_000)
    assert received == b"" or received.endswith(b'{"error": "this is not a valid HTTP request"}')


@pytest.mark.slow
def test_ten_thousand_slow_connections_leave_the_service_answering_and_its_memory_bounded():
    """They are opened from another process, as fast as it can, and each sends a byte now and then."""

    async def attack(address: tuple[str, int], seconds: float) -> None:
        async def one() -> None:
            try:
                _, writer = await asyncio.open_connection(*address)
                for byte in b"GET / HTTP/1.1\r\nX-Slow: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa":
                    writer.write(bytes([byte]))
                    await asyncio.sleep(1)
            except OSError:
                pass

        await asyncio.wait([asyncio.create_task(one()) for _ in range(10_000)], timeout=seconds)

    import multiprocessing

    with serving(echo, request_seconds=5, max_connections=1000) as server:
        before = resident_bytes()
        attacker = multiprocessing.get_context("fork").Process(target=lambda: asyncio.run(attack(server.address, 20)))
        attacker.start()
        answered = 0
        while attacker.is_alive():
            with connected(server) as connection:
                connection.sendall(LAST)
                answered += answer(connection).endswith(b"xxx")
            # asyncio accepts a whole backlog, of 2,048, before those above the limit are closed.
            assert len(server.server_state.connections) <= 1_000 + 2_048
            assert resident_bytes() - before < 200_000_000
            time.sleep(0.1)
        attacker.join()
    assert answered > 50
