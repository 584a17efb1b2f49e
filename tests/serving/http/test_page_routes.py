"""The page and its files come from the service alone, and a browser is told to load nothing else."""

from __future__ import annotations

import re

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from vsearch_lib.serving.http.page_routes import page_routes
from vsearch_lib.serving.http.problems import answer_problems

FILES = {"index.html": b"<!doctype html>", "page.js": b"let a", "page.css": b"a{}", "icon.svg": b"<svg/>", "x.py": b""}


@pytest.fixture
def page(tmp_path) -> TestClient:
    (tmp_path / "secret.html").write_bytes(b"secret")
    (tmp_path / "page").mkdir()
    for name, content in FILES.items():
        (tmp_path / "page" / name).write_bytes(content)
    app = FastAPI(docs_url=None, redoc_url=None)
    app.include_router(page_routes(tmp_path / "page"))
    answer_problems(app)
    return TestClient(app)


def test_the_page_and_its_files_are_served_with_their_types_and_a_strict_policy(page):
    for path, name, kind in (
        ("/", "index.html", "text/html"),
        ("/page/page.js", "page.js", "text/javascript"),
        ("/page/page.css", "page.css", "text/css"),
        ("/page/icon.svg", "icon.svg", "image/svg+xml"),
    ):
        response = page.get(path)
        assert response.content == FILES[name]
        assert response.headers["Content-Type"].startswith(kind)
        policy = response.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'self'; img-src 'self' blob: data:;")
        assert "unsafe" not in policy


@pytest.mark.parametrize(
    "path", ["/page/x.py", "/page/none.js", "/page/../secret.html", "/page/..%2Fsecret.html", "/page/%2Fetc%2Fpasswd"]
)
def test_other_files_are_not_there(page, path):
    assert page.get(path).status_code == 404


def test_every_response_keeps_browsers_from_guessing_types_and_telling_addresses(client):
    for path in ("/health", "/random", "/none", "/docs", "/images/image-00004", "/images/none"):
        headers = client.get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"


def test_the_page_about_the_interface_names_every_call_and_field_and_loads_nothing(client):
    page = client.get("/docs").text
    calls = re.findall(r"<code>(?:GET|POST) ([^<]*)</code>", page)
    assert calls == list(client.get("/openapi.json").json()["paths"])
    assert {"/search", "/similar/{image_id}", "/images/{image_id}", "/look", "/feedback", "/random"} <= set(calls)
    for field in ("image", "crop", "like", "unlike", "answer_id", "dwell_ms"):
        assert f"<code>{field}</code>" in page
    assert not re.search(r"<script|<link|<img|https?://", page)
