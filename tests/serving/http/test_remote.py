"""The three services give the same answers in one process or three, and say which of them is missing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import httpx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.serving.http.conftest import with_serving
from tests.support import served_catalogue
from tests.support.loopback import serving, url_of
from vsearch_lib.errors import UsageError
from vsearch_lib.search.filter import Filter
from vsearch_lib.serving.ask import Ask, Crop, Timings
from vsearch_lib.serving.candidates import Facts
from vsearch_lib.serving.http.neighbours_app import OpenVersions, neighbours_app
from vsearch_lib.serving.http.remote import RemoteNeighboursSource, RemoteService, ServiceUnavailable
from vsearch_lib.serving.http.start import _embedding, _neighbours, _ranking, search_service
from vsearch_lib.serving.http.wire import (
    Wanted,
    facts_as_json,
    facts_of,
    filter_as_json,
    vectors_as_text,
    vectors_of,
)
from vsearch_lib.serving.live import LiveIndex
from vsearch_lib.serving.neighbours import LocalNeighboursSource
from vsearch_lib.serving.search_service import SearchService

NOWHERE = "http://127.0.0.1:9"
KEY = b"a-key-of-the-services"
MARCH = datetime(2026, 3, 1, 0, 1, tzinfo=UTC)
APRIL = datetime(2026, 4, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def front(served) -> Iterator[SearchService]:
    """A search service whose other services run behind HTTP, with a key."""
    with (
        serving(_embedding(served.settings, (KEY,))[0]) as embedding,
        serving(_neighbours(served.settings, (KEY,))[0]) as neighbours,
    ):
        urls = {"embedding_url": url_of(embedding), "neighbours_url": url_of(neighbours)}
        yield search_service(with_serving(served.settings, **urls), keys=(KEY,))


@pytest.mark.parametrize(
    "ask",
    [
        Ask(image_id="image-00004", k=7),
        Ask(image_id="image-00004", k=50, copies=True),
        Ask(image_id="image-00003", wanted=Filter(viewer_id="owner-3"), copies=True),
        Ask(image_id="image-00004", crop=Crop(0, 0, 0.5, 0.5)),
        Ask(like=("image-00001", "image-00002"), unlike=("image-00006",), k=5),
        Ask(image_id="image-00004", sort="newest", expand=True),
        Ask(image_id="image-00004", wanted=Filter("owner-2", ("even",), MARCH, APRIL)),
    ],
    ids=range(7),
)
def test_a_query_with_images_has_the_same_answers(front, service, ask):
    assert without_times(front.search(ask)) == without_times(service.search(ask))


@pytest.mark.parametrize("crop", [None, Crop(16, 16, 64, 64)])
def test_a_query_with_a_picture_has_the_same_answers_and_suggested_crop(front, service, served, crop):
    ask = Ask(picture=served.pictures[4], crop=crop, k=20, copies=True)
    assert without_times(front.search(ask)) == without_times(service.search(ask))


def test_the_maps_the_facts_and_the_random_images_are_the_same(front, service, served):
    ask = Ask(picture=served.pictures[4])
    assert front.look(ask, "image-00001") == service.look(ask, "image-00001")
    for viewer in (None, "owner-3"):
        assert front.facts(served.content.ids, viewer) == service.facts(served.content.ids, viewer)
    assert set(front.random_ids(100)) == set(service.random_ids(100))


def without_times(answers):
    return replace(answers, timings_ms=Timings(0, 0, 0))


def test_the_other_services_need_the_key_and_answer_no_search(served):
    with serving(_neighbours(served.settings, (KEY,))[0]) as neighbours:
        url, keyed = url_of(neighbours), {"X-API-Key": KEY.decode()}
        assert httpx.get(f"{url}/latest").status_code == 401
        assert httpx.get(f"{url}/ready").json()["version"] == "v1"
        assert httpx.get(f"{url}/random?k=3", headers=keyed).status_code == 404
        wrong = httpx.post(f"{url}/find", json={"version": "v1"}, headers=keyed)
        assert wrong.status_code == 400
        assert wrong.json()["error"].startswith("query: ")


def test_a_service_that_does_not_answer_is_named_with_its_setting(served):
    settings = with_serving(served.settings, neighbours_url=NOWHERE)
    with pytest.raises(
        ServiceUnavailable, match=r"the neighbours service .*:9 does not answer .*serving.neighbours_url"
    ):
        search_service(settings)


def test_a_query_gets_503_while_the_embedding_service_is_down_and_others_are_answered(client_of, served):
    settings = with_serving(served.settings, embedding_url=NOWHERE)
    client = client_of(search_service(settings), settings)
    response = client.post("/search", files={"image": ("p", served.pictures[0])})
    assert response.status_code == 503
    assert "the embedding service" in response.json()["error"]
    assert client.get("/similar/image-00004").status_code == 200


def test_a_front_without_urls_is_refused(served):
    with pytest.raises(UsageError, match="are null: set one"):
        _ranking(served.settings, ())


def test_a_query_ends_with_the_version_that_it_began_with(tmp_path):
    own = served_catalogue.catalogue(tmp_path, 12)
    versions = OpenVersions(LocalNeighboursSource(LiveIndex(own.settings.index.uri, cache=own.settings.cache)))
    settings = with_serving(own.settings, refresh_seconds=3600)
    query = own.content.vectors[0]
    with serving(neighbours_app(versions, settings)) as running:
        source = RemoteNeighboursSource(RemoteService("neighbours", url_of(running), seconds=10))
        before = source.latest()
        for number, last in enumerate((11, 10), 1):
            own.publish(f"v1-{number}", range(last))
            assert versions.refresh() is True
            assert len(before.find(query, 50, Filter(), vectors=False)) == len(own.rows(visibility="public"))
        assert source.latest() is before
        assert source.refresh() is True
        assert source.refresh() is False
        assert source.latest().version == "v1-2"
        for number, last in enumerate((9, 8, 7), 3):
            own.publish(f"v1-{number}", range(last))
            versions.refresh()
        with pytest.raises(ServiceUnavailable, match="the version v1 is not open here; v1-5 is"):
            before.find(query, 5, Filter(), vectors=False)


# What passes between the services.

TEXT = st.text(max_size=8)
TIME = st.datetimes(timezones=st.just(UTC))
FILTERS = st.builds(
    Filter,
    st.none() | TEXT,
    st.lists(TEXT, max_size=3).map(tuple),
    st.none() | TIME,
    st.none() | TIME,
    st.none() | TEXT,
)
FACTS = st.builds(Facts, TEXT, TEXT, TEXT, TEXT, TEXT, TIME, st.lists(TEXT).map(tuple), st.none() | TEXT)


@given(FILTERS)
def test_a_filter_passes_unchanged(wanted):
    assert Wanted.model_validate(filter_as_json(wanted)).as_filter() == wanted


@given(st.lists(FACTS, max_size=3))
def test_facts_pass_unchanged(facts):
    assert facts_of(facts_as_json(facts)) == facts


def test_vectors_pass_unchanged_and_others_are_refused():
    vectors = np.random.default_rng(1).normal(size=(3, 5)).astype(np.float32)
    assert (vectors_of(vectors_as_text(vectors), 3) == vectors).all()
    assert vectors_of("", 0).shape == (0, 0)
    for wrong in ("abc", "AAA=", vectors_as_text(np.array([np.nan])), vectors_as_text(np.array([np.inf]))):
        with pytest.raises(ValueError, match=r"."):
            vectors_of(wrong, 1)
