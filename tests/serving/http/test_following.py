"""The service follows the published version, says when it cannot, and drops no query meanwhile."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.serving.http.conftest import with_serving
from tests.support import served_catalogue
from tests.support.loopback import serving, url_of, wait_until
from vsearch_lib.artefact.pointer import POINTER
from vsearch_lib.errors import ArtefactError
from vsearch_lib.publishing.retention import roll_back
from vsearch_lib.serving.http.app import create_app
from vsearch_lib.serving.http.following import Following
from vsearch_lib.serving.search_service import SearchService
from vsearch_lib.storage import open_store


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """A catalogue that the tests of this module publish again and again."""
    return served_catalogue.catalogue(tmp_path_factory.mktemp("followed"), 24)


def test_no_query_fails_while_ten_versions_are_published(own, tmp_path):
    landing = own.settings.landing.model_copy(update={"uri": str(tmp_path)})
    settings = with_serving(own.settings, refresh_seconds=0.02).model_copy(update={"landing": landing})
    app = create_app(SearchService.open(settings), settings)
    done = threading.Event()
    count = {"v1" if n == 0 else f"v1-{n:02}": len(own.content.ids) - n for n in range(11)}
    public = set(own.rows(visibility="public"))
    expected = {version: {own.content.ids[row] for row in public if row < last} for version, last in count.items()}

    with serving(app, max_requests=64) as server, httpx.Client(base_url=url_of(server)) as client:

        def ask(number: int) -> set[str]:
            seen = set()
            while not done.is_set():
                if number % 2:
                    response = client.post("/search", files={"image": ("p", own.pictures[0])}, data=FIELDS)
                else:
                    response = client.get("/similar/image-00000", params=FIELDS)
                assert response.status_code == 200, response.text
                content = response.json()
                seen.add(content["version"])
                # Every answer is of one version, and all of it: each has an image less than the one before.
                assert {answer["image_id"] for answer in content["answers"]} == expected[content["version"]]
            return seen

        with ThreadPoolExecutor(4) as clients:
            asking = [clients.submit(ask, number) for number in range(4)]
            try:
                for version, last in list(count.items())[1:]:
                    own.publish(version, range(last))
                    wait_until(lambda version=version: client.get("/version").json()["version"] == version, 30)
            finally:
                done.set()
            seen = set().union(*(one.result() for one in asking))
    assert "v1-10" in seen
    assert len(seen) > 5


FIELDS = {"k": 100, "copies": "true"}


def test_a_version_that_cannot_be_opened_leaves_the_old_one_served_and_is_reported(own, client_of, capsys):
    store = open_store(own.settings.index.uri)
    service = SearchService.open(own.settings)
    before = service.version
    client = client_of(service, own.settings, refresh_seconds=0.02)
    pointer = store.read_versioned(POINTER)
    store.replace(POINTER, b"no pointer", pointer)
    try:
        wait_until(lambda: client.get("/ready").json()["refresh_failing"])
        assert client.get("/ready").json() == {"status": "ready", "version": before, "refresh_failing": True}
        assert "is not a pointer" in client.get("/version").json()["problem"]
        assert "vsearch_refresh_failing 1.0" in client.get("/metrics").text
        assert client.get("/similar/image-00000").status_code == 200
        time.sleep(0.2)  # many more looks
    finally:
        store.replace(POINTER, pointer.content, store.read_versioned(POINTER))
    wait_until(lambda: not client.get("/ready").json()["refresh_failing"])
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert error.startswith("vsearch: the next version cannot be opened, the old one is served: ")
    assert "vsearch_refresh_failing 0.0" in client.get("/metrics").text


def test_a_rollback_is_followed_and_shows_in_the_figures(own, client_of):
    service = SearchService.open(own.settings)
    client = client_of(service, own.settings, refresh_seconds=0.02)
    own.publish("v20")
    wait_until(lambda: 'vsearch_index_info{version="v20"} 1.0' in client.get("/metrics").text)
    roll_back(open_store(own.settings.index.uri), "v1-10", now=served_catalogue.NOW)
    wait_until(lambda: 'vsearch_index_info{version="v1-10"} 1.0' in client.get("/metrics").text)
    assert client.get("/ready").json()["version"] == "v1-10"


def test_each_new_problem_is_reported_once(capsys):
    problems = iter([ArtefactError("a"), ArtefactError("a"), ArtefactError("b"), None, ArtefactError("b")])
    ended = []

    def refresh() -> bool:
        problem = next(problems)
        if problem:
            raise problem
        return False

    following = Following(refresh, 60, ended=ended.append)
    for _ in range(5):
        following.look()
    assert ended == ["a", "a", "b", None, "b"]
    assert [line.rpartition(": ")[2] for line in capsys.readouterr().err.splitlines()] == ["a", "b", "b"]
