"""Whatever is sent, the answer is a 4xx in one line, never a 5xx, and memory stays bounded."""

from __future__ import annotations

import io
import struct
import zlib

import httpx
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.support.loopback import answer, connected, resident_bytes, serving, url_of
from vsearch_lib.config import PROJECT
from vsearch_lib.serving.http.app import create_app

MALFORMED = PROJECT.parent / "shared" / "data" / "malformed"
ROOM = 400_000_000  # bytes: two decoded pictures of the greatest size, and what else a request takes


@pytest.fixture(scope="module")
def server(service, served, tmp_path_factory):
    landing = served.settings.landing.model_copy(update={"uri": str(tmp_path_factory.mktemp("landing"))})
    with serving(create_app(service, served.settings.model_copy(update={"landing": landing}))) as running:
        yield running


@pytest.fixture(scope="module")
def web(server):
    with httpx.Client(base_url=url_of(server), timeout=60) as client:
        yield client


def check(response: httpx.Response, allowed=range(400, 500)) -> None:
    assert response.status_code in allowed, response.text
    if response.status_code >= 400:
        assert set(response.json()) == {"error"}
        assert response.json()["error"].isprintable()


def sent(web, content: bytes, **fields) -> httpx.Response:
    return web.post("/search", files={"image": ("photo", content)}, data={"k": "3", **fields})


@pytest.mark.skipif(not MALFORMED.is_dir(), reason=f"there is no {MALFORMED}")
@pytest.mark.parametrize("step", [9, pytest.param(1, marks=pytest.mark.slow)])
def test_no_damaged_picture_of_the_collection_is_a_fault_of_the_service(web, step):
    files = sorted(file for file in MALFORMED.rglob("*") if file.is_file())[::step]
    assert len(files) > 100
    before = resident_bytes()
    for number, file in enumerate(files):
        fields = {"crop": "0,0,.5,.5"} if number % 2 else {}
        check(sent(web, file.read_bytes(), **fields), (200, *range(400, 500)))
    assert resident_bytes() - before < ROOM


def png(width: int, height: int, rows: int | None = None) -> bytes:
    """A PNG with all its rows of pixels, or with `rows` of them; they are all zero, and take a thousandth of that."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    packer = zlib.compressobj(1)
    row = bytes(1 + 3 * width)
    pixels = b"".join(packer.compress(row) for _ in range(height if rows is None else rows)) + packer.flush()
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def text_bomb() -> bytes:
    """A PNG with a compressed text of 100 MB."""
    packer = zlib.compressobj(1)
    text = b"".join(packer.compress(bytes(1_000_000)) for _ in range(100)) + packer.flush()
    content = b"Comment\0\0" + text
    chunk = struct.pack(">I", len(content)) + b"zTXt" + content + struct.pack(">I", zlib.crc32(b"zTXt" + content))
    whole = png(64, 64)
    return whole[:33] + chunk + whole[33:]


def animation(frames: int) -> bytes:
    sink = io.BytesIO()
    pictures = [Image.new("P", (64, 64), n % 256) for n in range(frames)]
    pictures[0].save(sink, "GIF", save_all=True, append_images=pictures[1:])
    return sink.getvalue()


@pytest.mark.parametrize(
    ("bomb", "allowed"),
    [
        (lambda: png(10_000, 10_000, rows=5), (400,)),
        (lambda: png(60_000, 2_000, rows=5), (400,)),
        (lambda: png(7_000, 7_000), (200, 400)),  # just below the limit: decoded, once
        (text_bomb, (200, 400)),
        (lambda: animation(2_000), (200, 400)),
        (lambda: b"\x89PNG\r\n\x1a\n" + bytes(5_000_000), (400,)),
        (lambda: b"GIF89a" + b"\xff" * 1_000, (400,)),
        (lambda: b"<svg xmlns='http://www.w3.org/2000/svg'/>", (415,)),
        (lambda: b"%PDF-1.4" + bytes(100), (415,)),
        (lambda: bytes(19_000_000), (400, 415)),
        (lambda: bytes(30_000_000), (413,)),
        (lambda: bytes(50_000_000), (413,)),
    ],
    ids=range(12),
)
def test_a_picture_that_would_take_all_memory_is_refused_or_takes_little(web, bomb, allowed):
    content = bomb()
    before = resident_bytes()
    check(sent(web, content), allowed)
    check(sent(web, content, crop="0,0,.9,.9"), allowed)
    assert resident_bytes() - before < ROOM


@pytest.mark.parametrize(
    "crop",
    [
        "0,0,1e308,1",
        "1e-320,0,1e-320,1",
        "0,0,5,5",
        "127,0,2,9",
        "0.99,0,0.02,1",
        "nan,nan,nan,nan",
        "0,0,-1,-1",
        "1,1,0,0",
    ],
)
def test_a_crop_outside_the_picture_or_without_an_area_is_refused(web, served, crop):
    check(sent(web, served.pictures[4], crop=crop))


FIELD = b'--b\r\nContent-Disposition: form-data; name="%b"\r\n\r\n%b\r\n'
END = b"--b--\r\n"
FORM = "multipart/form-data; boundary=b"


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/form-data", b""),
        ("multipart/form-data; boundary=", b""),
        (FORM, b""),
        (FORM, b"--b\r\n"),
        (FORM, b"--b\r\n\r\n\r\n--b--"),
        (FORM, b"--b\r\nContent-Disposition: form-data\r\n\r\n1\r\n--b--\r\n"),
        (f"{FORM}; charset=idna", FIELD % (b"k", b"\xff..") + END),
        (f"{FORM}; charset=undefined", FIELD % (b"k", b"1") + END),
        (f"{FORM}; charset=base64", FIELD % (b"k", b"1") + END),
        ("multipart/form-data; boundary=" + "b" * 300, b"--" + b"b" * 300 + b"\r\n"),
        (FORM, b"".join(FIELD % (b"a%d" % n, b"1") for n in range(3_000)) + END),
        (FORM, FIELD % (b"k", b"1" * 100_000) + END),
        (FORM, b"--b\r\nX: " + b"a" * 1_000_000 + b"\r\n\r\n\r\n--b--\r\n"),
        ("application/json", b""),
        ("application/json", b"null"),
        ("application/json", b"[" * 60_000),
        ("application/json", b'{"image_id": "\\ud800"}'),
        ("application/json", b'{"k": 1e999, "image_id": "a"}'),
        ("application/json", b'{"image_id": "a", "image_id": ["b"]}'),
        ("application/json; charset=utf-32", b"{}"),
        ("application/x-www-form-urlencoded", b"k=3"),
        ("text/xml", b"<a/>"),
        ("", b"{}"),
    ],
    ids=range(23),
)
@pytest.mark.parametrize("path", ["/search", "/look", "/feedback"])
def test_a_body_that_is_not_what_it_says_is_refused(web, kind, body, path):
    check(web.post(path, content=body, headers={"Content-Type": kind}))


@pytest.mark.parametrize(
    "path",
    [
        "/similar/..%2F..%2Fetc%2Fpasswd",
        "/images/%2e%2e/%2e%2e/CURRENT",
        "/images/%00",
        "/images/%ff%fe",
        "/images/" + "a" * 5_000,
        "/page/..%2f..%2fsettings.py",
        "/page/%2e%2e%2findex.html",
        "/page/a/b",
        "//similar/a",
        "/similar/a?k=1&k=2&k=x",
        "/similar/a?user_id=" + "u" * 5_000,
        "/similar/a?after=%00",
        "/random?k=-1",
        "/random?k=1e3",
        "/images/a?size[]=full",
        "/openapi.json/",
        "/health/../metrics/x",
    ],
)
def test_an_address_that_tries_to_reach_something_else_is_refused(server, path):
    """Sent as it is: clients would tidy it."""
    with connected(server) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        received = answer(connection)
    assert 400 <= int(received.split(b" ", 2)[1]) < 500
    assert received.rpartition(b"\r\n\r\n")[2].startswith(b'{"error":')


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Session": "a" * 10_000},
        {"X-Session": "a\tb-c-d-e-f"},
        {"Cookie": "a" * 20_000},
        {f"X-{n}": "a" * 100 for n in range(300)},
    ],
    ids=range(4),
)
def test_headers_that_are_too_long_or_no_ids_are_refused(web, headers):
    check(web.get("/similar/image-00004", headers=headers))


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE", "OPTIONS", "CONNECTED", "HEAD"])
def test_other_methods_are_refused(web, method):
    response = web.request(method, "/search")
    assert response.status_code == 405


def test_headers_of_proxies_do_not_change_who_is_believed_to_ask(web):
    names = (
        "X-Forwarded-For",
        "X-Forwarded-Host",
        "X-Real-IP",
        "X-Original-URL",
        "X-HTTP-Method-Override",
        "Forwarded",
    )
    response = web.get("/images/image-00003", headers=dict.fromkeys(names, "/images/image-00004"))
    assert response.status_code == 404


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 2**32), st.integers(1, 40))
def test_no_picture_with_flipped_bytes_is_a_fault_of_the_service(web, served, seed, flips):
    rng = np.random.default_rng(seed)
    kind = ("PNG", "JPEG", "GIF", "WEBP", "TIFF", "BMP")[seed % 6]
    sink = io.BytesIO()
    Image.open(io.BytesIO(served.pictures[seed % 8])).save(sink, kind)
    content = bytearray(sink.getvalue())
    for place in rng.integers(0, len(content), flips):
        content[place] = rng.integers(256)
    check(sent(web, bytes(content)), (200, *range(400, 500)))


def test_the_service_answers_as_before(web, served):
    """The last of this module."""
    assert sent(web, served.pictures[4], copies="true").json()["answers"][0]["image_id"] == "image-00004"
    assert web.get("/ready").json()["status"] == "ready"
