"""No private or blocked image is answered, counted or shown to one who may not see it, whatever was asked before."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from tests.serving.http.conftest import with_serving
from tests.support import served_catalogue, small_index
from tests.support.served_catalogue import Served
from vsearch_lib.serving.http.app import create_app
from vsearch_lib.serving.search_service import SearchService

ROWS = 12
STATES = st.sampled_from([("public", "ok"), ("private", "ok"), ("public", "blocked"), ("private", "blocked")])
ASKERS = st.sampled_from([None, *(f"owner-{n}" for n in range(5)), "somebody"])
NAMES = st.integers(0, ROWS - 1).map("image-{:05d}".format)
FILTERS = st.fixed_dictionaries(
    {"user_id": ASKERS},
    optional={
        "owner_id": ASKERS,
        "tags": st.sampled_from(["even", "odd", "none"]),
        "after": st.just("2026-03-01T00:05:00Z"),
        "copies": st.booleans(),
        "expand": st.booleans(),
        "sort": st.sampled_from(["similarity", "newest"]),
    },
)
CALLS = st.one_of(
    st.tuples(st.just("picture"), st.integers(0, ROWS - 1), FILTERS),
    st.tuples(st.sampled_from(["similar", "search", "crop", "like", "thumbnail", "full", "look"]), NAMES, FILTERS),
    st.tuples(st.just("random"), NAMES, FILTERS),
)


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> Served:
    return served_catalogue.catalogue(tmp_path_factory.mktemp("small"), ROWS)


def with_states(base: Served, states: list[tuple[str, str]], folder: Path, version: str) -> Served:
    """The same pictures with other states, published in an index and a lake below `folder`."""
    visibility, moderation = map(list, zip(*states, strict=True))
    content = small_index.Catalogue(base.content.ids, base.content.vectors, visibility, moderation)
    sections = {name: getattr(base.settings, name) for name in ("index", "lake")}
    places = {name: part.model_copy(update={"uri": str(folder / name)}) for name, part in sections.items()}
    served = Served(base.settings.model_copy(update=places), content, base.pictures)
    served_catalogue.write_lake(served)
    served.publish(version)
    return served


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    states=st.lists(STATES, min_size=ROWS, max_size=ROWS),
    later=st.lists(STATES, min_size=ROWS, max_size=ROWS),
    calls=st.lists(CALLS, min_size=10, max_size=40),
    cached=st.sampled_from([0, 20, 100_000]),
)
def test_nobody_gets_what_they_may_not_see(small, tmp_path, states, later, calls, cached):
    """All calls are made twice, so that caches answer; then the states change, and all are made again."""
    folder = tmp_path / "catalogue"
    shutil.rmtree(folder, ignore_errors=True)
    served = with_states(small, states, folder, "v1")
    service = SearchService.open(with_serving(served.settings, max_per_owner=3))
    limits = {"cached_answers": cached, "cached_thumbnails": cached}
    with TestClient(
        create_app(service, with_serving(served.settings, **limits)), base_url="http://127.0.0.1"
    ) as client:
        for _ in range(2):
            for call in calls:
                check(client, served, states, call)
        changed = with_states(small, later, folder, "v1-1")
        service.refresh()
        assert service.version == "v1-1"
        for call in calls:
            check(client, changed, later, call)


def check(client, served: Served, states: list[tuple[str, str]], call) -> None:
    kind, what, filters = call
    asker = filters["user_id"]
    fields = {name: value for name, value in filters.items() if value is not None}

    def may_see(name: str) -> bool:
        row = served.content.ids.index(name)
        visibility, moderation = states[row]
        return moderation == "ok" and (visibility == "public" or served.owner(row) == asker)

    if kind == "picture":
        response = client.post("/search", files={"image": ("p", served.pictures[what])}, data={"k": "50", **fields})
    elif kind == "similar":
        response = client.get(f"/similar/{what}", params={"k": 50, **fields})
    elif kind == "like":
        response = client.post("/search", json={"like": [what], "k": 50, **fields})
    elif kind in ("search", "crop"):
        crop = {"crop": "0,0,.5,.5"} if kind == "crop" else {}
        response = client.post("/search", json={"image_id": what, "k": 50, **crop, **fields})
    elif kind == "random":
        response = client.get("/random?k=100")
        names = {answer["image_id"] for answer in response.json()["answers"]}
        assert names == {name for name, state in zip(served.content.ids, states, strict=True) if state == PUBLIC}
        return
    elif kind == "look":
        response = client.post("/look", json={"image_id": what, "answer_id": what, "user_id": asker})
        assert response.status_code == (200 if may_see(what) else 404)
        return
    else:
        viewer = {} if asker is None else {"user_id": asker}
        response = client.get(f"/images/{what}", params={"size": kind, **viewer})
        assert response.status_code == (200 if may_see(what) else 404)
        kept = response.headers.get("Cache-Control") == "private, max-age=300"
        assert not kept or states[served.content.ids.index(what)] == PUBLIC
        return
    if kind != "picture" and not may_see(what):
        assert response.status_code == 404
        return
    assert response.status_code == 200, response.text
    content = response.json()
    assert all(may_see(answer["image_id"]) for answer in content["answers"])
    named = content["note"] or ""
    assert all(may_see(name) for name in served.content.ids if name in named)


PUBLIC = ("public", "ok")
