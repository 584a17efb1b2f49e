"""Bodies that are too large or too slow, and requests that are too many, are refused while they arrive."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.serving.http.conftest import with_serving
from tests.support.loopback import answer, connected, serving
from vsearch_lib.serving.http.app import create_app
from vsearch_lib.serving.http.query import FIELD_BYTES

HEAD = b"POST /search HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
FORM = b"Content-Type: multipart/form-data; boundary=b\r\n"
PART = b'--b\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\n'


@pytest.fixture
def server(service, served, tmp_path):
    """A server that takes bodies of 1 MB and some fields, within a second, and 2 requests at once."""
    settings = served.settings.model_copy(
        update={"image": served.settings.image.model_copy(update={"max_bytes": 1_000_000})}
    )
    limits = {"request_seconds": 1.0, "max_requests": 2}
    app = create_app(service, with_serving(settings, **limits))
    with serving(app, **limits) as running:
        yield running


def status_of(received: bytes) -> int:
    return int(received.split(b" ", 2)[1])


@pytest.mark.parametrize("declared", [True, False])
def test_a_body_that_is_too_large_gets_413_even_if_the_client_sends_all_of_it(server, declared):
    size = 5_000_000
    length = b"Content-Length: %d\r\n" % (len(PART) + size) if declared else b"Transfer-Encoding: chunked\r\n"
    with connected(server) as connection:
        connection.sendall(HEAD + FORM + length + b"\r\n")
        if declared:
            connection.sendall(PART + bytes(size))
        else:
            for part in (PART, *[bytes(50_000)] * 100, b""):
                connection.sendall(b"%x\r\n" % len(part) + part + b"\r\n")
        received = answer(connection)
    assert status_of(received) == 413
    assert b"larger than %d bytes" % (1_000_000 + FIELD_BYTES) in received


def test_a_client_that_asks_first_is_refused_before_it_sends_a_body(server):
    with connected(server) as connection:
        connection.sendall(HEAD + FORM + b"Content-Length: 50000000\r\nExpect: 100-continue\r\n\r\n")
        assert status_of(answer(connection)) == 413


def test_a_body_without_an_end_gets_413(server):
    with connected(server) as connection:
        connection.sendall(HEAD + FORM + b"Transfer-Encoding: chunked\r\n\r\n")
        connection.sendall(b"%x\r\n" % len(PART) + PART + b"\r\n")
        try:
            for _ in range(4000):  # 200 MB
                connection.sendall(b"c350\r\n" + bytes(50_000) + b"\r\n")
        except OSError:
            pass  # it was cut off
        assert answer(connection)[:12] in (b"", b"HTTP/1.1 413")


def test_a_slow_body_gets_408(server):
    with connected(server) as connection:
        connection.sendall(HEAD + FORM + b"Content-Length: 1000\r\n\r\n" + PART)
        received = answer(connection)
    assert status_of(received) == 408
    assert b"did not arrive within 1 seconds" in received


def test_a_client_that_leaves_during_its_body_does_not_disturb_the_service(server):
    with connected(server) as connection:
        connection.sendall(HEAD + FORM + b"Content-Length: 1000\r\n\r\n" + PART)
    with connected(server) as connection:
        connection.sendall(b"GET /random HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert status_of(answer(connection)) == 200


def test_one_request_too_many_gets_429_with_a_time_to_try_again_and_health_is_still_answered(server):
    with connected(server) as first, connected(server) as second:
        for connection in (first, second):
            connection.sendall(HEAD + FORM + b"Content-Length: 1000\r\n\r\n" + PART)
        with connected(server) as third:
            third.sendall(b"GET /random HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            received = answer(third)
            assert status_of(received) == 429
            assert b"retry-after: 1" in received.lower()
        for path in (b"/health", b"/ready", b"/metrics", b"/version"):
            with connected(server) as asking:
                asking.sendall(b"GET " + path + b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                assert status_of(answer(asking)) == 200
        assert {status_of(answer(connection)) for connection in (first, second)} == {408}
    with connected(server) as again:
        again.sendall(b"GET /random HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert status_of(answer(again)) == 200


@pytest.mark.parametrize("head", [b"GET /" + 20_000 * b"a", b"GET /random?" + 20_000 * b"a"])
def test_an_address_that_is_too_long_gets_431(server, head):
    with connected(server) as connection:
        connection.sendall(head + b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert status_of(answer(connection)) in (400, 431)


def test_a_hundred_slow_bodies_at_once_are_refused_and_the_service_goes_on(server):
    def slow(_: int) -> bytes:
        with connected(server) as connection:
            connection.sendall(HEAD + FORM + b"Content-Length: 1000\r\n\r\n" + PART)
            return answer(connection)[:12]

    with ThreadPoolExecutor(100) as clients:
        assert set(clients.map(slow, range(100))) <= {b"HTTP/1.1 408", b"HTTP/1.1 429"}
    with connected(server) as connection:
        connection.sendall(b"GET /random HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert status_of(answer(connection)) == 200
