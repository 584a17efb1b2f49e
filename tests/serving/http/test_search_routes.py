"""Searching over HTTP gives what the search service answers."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import quote

import pytest

from vsearch_lib.serving.ask import Ask, Crop


def ids(response) -> list[str]:
    assert response.status_code == 200, response.text
    return [answer["image_id"] for answer in response.json()["answers"]]


def sent(client, picture: bytes, **fields):
    return client.post("/search", files={"image": ("photo.png", picture)}, data=fields)


def expected(service, ask: Ask) -> list[str]:
    return [answer.image_id for answer in service.search(ask).answers]


def test_a_picture_is_answered_as_by_the_search_service(client, service, served):
    response = sent(client, served.pictures[4], k="3", copies="true")
    content = response.json()
    direct = service.search(Ask(picture=served.pictures[4], k=3, copies=True))
    assert ids(response) == [answer.image_id for answer in direct.answers]
    assert ids(response)[0] == served.content.ids[4]
    assert (content["version"], content["crop"], content["note"]) == ("v1", None, None)
    assert len(content["request_id"]) == 32
    assert set(content["timings_ms"]) == {"embedding", "neighbours", "ranking"}
    for shown, answer in zip(content["answers"], direct.answers, strict=True):
        assert shown["cosine"] == answer.cosine
        assert (shown["rank"], shown["tags"], shown["owner_id"]) == (answer.rank, list(answer.tags), answer.owner_id)
        assert datetime.fromisoformat(shown["uploaded_at"]) == answer.uploaded_at
        assert (shown["source_uri"], shown["rules"]) == (answer.source_uri, list(answer.rules))


def test_a_crop_in_pixels_and_in_fractions_gives_the_same_answers_and_others_than_the_whole(client, served):
    whole = sent(client, served.pictures[4], copies="true")
    in_pixels = sent(client, served.pictures[4], copies="true", crop="64,48,64,48")
    in_fractions = sent(client, served.pictures[4], copies="true", crop="0.5,0.5,0.5,0.5")
    assert ids(in_pixels) == ids(in_fractions) != ids(whole)
    assert in_pixels.json()["crop"] == in_fractions.json()["crop"] == [0.5, 0.5, 0.5, 0.5]


def test_every_public_image_finds_itself_first_if_copies_are_allowed(client, served):
    for row in served.rows(visibility="public"):
        name = served.content.ids[row]
        assert ids(client.get(f"/similar/{name}", params={"copies": True, "k": 1})) == [name]
        assert ids(client.post("/search", json={"image_id": name, "copies": True, "k": 1})) == [name]


def test_filters_in_a_url_in_json_and_in_a_form_give_the_same_answers(client, service, served):
    fields = {"k": 30, "tags": ["even"], "owner_id": "owner-2", "after": "2026-03-01", "before": "2026-03-01T00:30:00Z"}
    name = served.content.ids[4]
    in_url = ids(client.get(f"/similar/{name}", params={**fields, "copies": True}))
    as_json = ids(client.post("/search", json={**fields, "image_id": name, "copies": True}))
    form = {**fields, "tags": "even", "copies": "true", "image_id": name}
    as_form = ids(client.post("/search", files={field: (None, str(value)) for field, value in form.items()}))
    assert in_url == as_json == as_form
    rows = [served.content.ids.index(found) for found in in_url]
    assert rows
    assert all(row % 2 == 0 and row % 5 == 2 and row < 30 for row in rows)


def test_examples_are_searched_with(client, service, served):
    like, unlike = served.content.ids[1:3], served.content.ids[8:9]
    found = ids(client.post("/search", json={"like": like, "unlike": unlike, "k": 5}))
    assert found == expected(service, Ask(like=tuple(like), unlike=tuple(unlike), k=5))


def test_newest_sorts_the_most_similar(client, served):
    found = client.get(f"/similar/{served.content.ids[4]}", params={"sort": "newest", "k": 5}).json()["answers"]
    times = [answer["uploaded_at"] for answer in found]
    assert times == sorted(times, reverse=True)


CALLS = {
    "similar": lambda client, name: client.get(f"/similar/{quoted(name)}"),
    "json": lambda client, name: client.post("/search", json={"image_id": name}),
    "like": lambda client, name: client.post("/search", json={"like": [name]}),
    "crop": lambda client, name: client.post("/search", json={"image_id": name, "crop": "0,0,.5,.5"}),
}


@pytest.mark.parametrize("call", CALLS)
def test_what_does_not_exist_and_what_the_asker_may_not_see_get_the_same_404(client, served, call):
    private, blocked = (served.content.ids[served.rows(visibility="private")[0]], served.content.ids[5])
    lines = set()
    for name in (private, blocked, "none", "../../etc/passwd", "a\nb", "a\0b", "' OR 1=1 --"):
        asked = CALLS[call](client, name)
        assert asked.status_code == 404, name
        shown = name.replace("\n", "\\n").replace("\0", "\\x00")
        lines.add(asked.json()["error"].replace(shown, "ID"))
    assert len(lines) == 1


def quoted(name: str) -> str:
    return quote(name, safe="")


def test_the_owner_searches_with_a_private_image_and_finds_it(client, served):
    row = served.rows(visibility="private")[0]
    name, owner = served.content.ids[row], served.owner(row)
    assert ids(client.get(f"/similar/{name}", params={"user_id": owner, "copies": True, "k": 1})) == [name]
    assert client.get(f"/similar/{name}", params={"user_id": "owner-none"}).status_code == 404


@pytest.mark.parametrize(
    ("request_of", "status", "line"),
    [
        (lambda c, p: c.post("/search"), 415, "send a form"),
        (lambda c, p: c.post("/search", content=p, headers={"Content-Type": "image/png"}), 415, "send a form"),
        (lambda c, p: c.post("/search", json={}), 400, "image is missing"),
        (lambda c, p: c.post("/search", json=[1]), 400, "the body must be a JSON object"),
        (lambda c, p: c.post("/search", json={"image_id": "a", "k": 0}), 400, "k: "),
        (lambda c, p: c.post("/search", json={"like": ["image-00001"], "crop": "0,0,1,1"}), 400, "crop needs"),
        (lambda c, p: sent(c, b""), 400, "the query picture is refused (empty_file)"),
        (lambda c, p: sent(c, b"no picture"), 415, "the query picture is refused (unsupported_format)"),
        (lambda c, p: sent(c, p[:200]), 400, "the query picture is refused (undecodable)"),
        (lambda c, p: sent(c, p, crop="100,0,100,50"), 400, "crop 100,0,100,50 lies outside the picture"),
        (lambda c, p: sent(c, p, crop="0,0,2,2"), 400, "crop 0,0,2,2: 2 x 2"),
        (lambda c, p: sent(c, p, image_id="image-00001"), 400, "image_id and a picture are given"),
        (lambda c, p: sent(c, p, colour="red"), 400, "colour: there is no such field"),
        (lambda c, p: c.post("/search", files={"photo": ("a", p)}), 400, "a file that is not called image"),
        (lambda c, p: c.post("/search", files=[("image", ("a", p)), ("image", ("b", p))]), 400, "Too many files"),
        (lambda c, p: c.get("/similar/image-00001?k=0"), 400, "k: "),
        (lambda c, p: c.get("/similar/image-00001?k=999"), 400, "k: at most 200"),
        (lambda c, p: c.get("/similar/image-00001?colour=red"), 400, "colour: there is no such field"),
        (lambda c, p: c.get("/similar/image-00001?after=x"), 400, "after: must be a date"),
        (lambda c, p: c.get("/similar/"), 404, "there is nothing at this address"),
        (lambda c, p: c.get("/search"), 405, "this address does not take this method"),
        (lambda c, p: c.get("/random?k=0"), 400, "k: "),
        (lambda c, p: c.get("/random", headers={"X-Session": "x"}), 200, None),
        (lambda c, p: c.get("/similar/image-00001", headers={"X-Session": "a b"}), 400, "the header X-Session"),
    ],
)
def test_a_request_that_is_not_answered_says_why_in_one_line(client, served, request_of, status, line):
    response = request_of(client, served.pictures[4])
    assert response.status_code == status, response.text
    if line:
        assert set(response.json()) == {"error"}
        assert response.json()["error"].startswith(line)
        assert response.json()["error"].isprintable()


def test_what_the_model_looks_at_is_a_map_of_the_query_and_one_of_the_answer(client, service, served):
    answer = served.content.ids[2]
    by_picture = client.post(
        "/look", files={"image": ("a", served.pictures[4])}, data={"crop": "0,0,64,64", "answer_id": answer}
    )
    by_id = client.post("/look", json={"image_id": served.content.ids[4], "answer_id": answer})
    direct = service.look(Ask(picture=served.pictures[4], crop=Crop(0, 0, 64, 64)), answer)
    maps = {"query": direct.query, "answer": direct.answer}
    assert by_picture.json() == {name: {"values": [list(row) for row in rows]} for name, rows in maps.items()}
    for content in (by_picture.json(), by_id.json()):
        for name in ("query", "answer"):
            values = [value for row in content[name]["values"] for value in row]
            assert 0 <= min(values) <= max(values) <= 1


def test_the_model_does_not_look_at_what_the_asker_may_not_see(client, served):
    public, private = (served.content.ids[served.rows(visibility=kind)[0]] for kind in ("public", "private"))
    for hidden in (private, served.content.ids[5], "none"):
        for query, answer in ((public, hidden), (hidden, public)):
            response = client.post("/look", json={"image_id": query, "answer_id": answer})
            assert response.status_code == 404
    assert client.post("/look", json={"image_id": public}).status_code == 400
    assert client.post("/look", json={"like": [public], "answer_id": public}).status_code == 400


def test_a_query_that_was_asked_before_is_answered_from_the_cache_with_a_new_request_id(client, served):
    first, second = (sent(client, served.pictures[4], k="3").json() for _ in range(2))
    assert second["answers"] == first["answers"]
    assert second["request_id"] != first["request_id"]
    assert second["timings_ms"] == {"embedding": 0.0, "neighbours": 0.0, "ranking": 0.0}
    figures = client.get("/metrics").text
    assert 'vsearch_cache_queries_total{result="hit"} 1.0' in figures
    assert 'vsearch_cache_queries_total{result="miss"} 1.0' in figures
