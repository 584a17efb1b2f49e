"""What people do with answers lands as interactions and judgements, whole, and only for what was answered to them."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from vsearch_lib.serving.ask import Answer, Answers, Ask, Timings
from vsearch_lib.serving.http.app import create_app
from vsearch_lib.serving.http.feedback import UploadIds
from vsearch_lib.serving.http.landing import FeedbackFull, LandedFeedback
from vsearch_lib.serving.http.remembered import RememberedRequests, session_of

SESSION = {"X-Session": "0123456789abcdef"}
USER = "session-0123456789abcdef"


class Ending(TestClient):
    """A client whose service ends when its records are read."""

    landing: Path
    ended = False

    def end(self) -> None:
        if not self.ended:
            self.ended = True
            self.__exit__(None, None, None)


@pytest.fixture
def client(service, served, tmp_path) -> Iterator[Ending]:
    landing = tmp_path / "landing"
    section = served.settings.landing.model_copy(update={"uri": str(landing)})
    app = create_app(service, served.settings.model_copy(update={"landing": section}))
    made = Ending(app, base_url="http://127.0.0.1")
    made.landing = landing
    made.__enter__()
    yield made
    made.end()


def landed(client: Ending, table: str) -> list[dict]:
    """End the service, and return the records that it wrote."""
    client.end()
    files = sorted((client.landing / table).glob("date=*/*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text().splitlines()]


def searched(client, **fields) -> dict:
    return client.post("/search", json={"k": 5, "copies": True, **fields}, headers=SESSION).json()


def told(client, content: dict, place: int, kind: str, **more):
    answer = content["answers"][place]
    event = {"request_id": content["request_id"], "image_id": answer["image_id"], "position": answer["rank"]}
    return client.post("/feedback", json={**event, "type": kind, **more}, headers=SESSION)


def test_an_impression_a_click_and_a_dwell_time_land_as_two_interactions(client):
    content = searched(client, image_id="image-00004", crop="0.25,0,0.5,1")
    for kind, more in (("impression", {}), ("click", {}), ("dwell", {"dwell_ms": 1500}), ("dwell", {"dwell_ms": 900})):
        response = told(client, content, 1, kind, **more)
        assert (response.status_code, response.json()) == (202, {"stored": True, "note": None})
    impression, click = landed(client, "interactions")
    shown = content["answers"][1]["image_id"]
    common = {
        "user_id": USER,
        "query_image_id": "image-00004",
        "crop_x": 0.25,
        "crop_y": 0.0,
        "crop_width": 0.5,
        "crop_height": 1.0,
        "displayed_image_id": shown,
        "position": 2,
        "request_id": content["request_id"],
        "index_version": "v1",
    }
    assert {**impression, **common, "type": "impression"} == impression
    assert {**click, **common, "type": "click", "dwell_ms": 1500} == click
    assert impression["event_id"] != click["event_id"]
    for event in (impression, click):
        age = datetime.now(UTC) - datetime.fromisoformat(event["occurred_at"])
        assert 0 <= age.total_seconds() < 60
        assert not {"latitude", "longitude", "query_upload_id"} & set(event)


def test_an_uploaded_picture_has_an_id_that_is_not_its_hash_and_no_image_id(client, served):
    picture = served.pictures[4]
    for _ in range(2):
        sent = client.post("/search", files={"image": ("p", picture)}, data={"k": "3"}, headers=SESSION)
        told(client, sent.json(), 0, "click")
    first, second = landed(client, "interactions")
    assert first["query_upload_id"] == second["query_upload_id"]
    assert re.fullmatch(r"upload-[0-9a-f]{24}", first["query_upload_id"])
    assert "query_image_id" not in first
    assert UploadIds().of(picture) != UploadIds().of(picture)


def test_thumbs_land_as_judgements_and_the_last_one_counts(client):
    content = searched(client, image_id="image-00004")
    assert content["answers"][0]["image_id"] == "image-00004"
    told(client, content, 1, "up")
    told(client, content, 1, "down")
    told(client, content, 2, "up")
    second, third = (content["answers"][place]["image_id"] for place in (1, 2))
    assert landed(client, "judgements") == [
        {"query_image_id": "image-00004", "image_id": second, "annotator": USER, "score": 0},
        {"query_image_id": "image-00004", "image_id": third, "annotator": USER, "score": 5},
    ]


@pytest.mark.parametrize("fields", [{"crop": "0,0,.5,.5"}, {"unlike": ["image-00001"]}])
def test_a_thumb_about_a_part_or_with_examples_is_taken_but_not_stored(client, fields):
    content = searched(client, image_id="image-00004", **fields)
    response = told(client, content, 1, "up")
    assert response.status_code == 202
    assert response.json()["stored"] is False
    assert "two whole images" in response.json()["note"]
    assert landed(client, "judgements") == []


def test_a_thumb_about_an_uploaded_picture_is_taken_but_not_stored(client, served):
    content = client.post("/search", files={"image": ("p", served.pictures[4])}, headers=SESSION).json()
    assert told(client, content, 0, "down").json()["stored"] is False
    assert landed(client, "judgements") == []


def test_the_user_that_the_platform_names_is_the_one_who_acted(client):
    content = searched(client, image_id="image-00004", user_id="user-7")
    told(client, content, 1, "click")
    assert [event["user_id"] for event in landed(client, "interactions")] == ["user-7"]


def test_without_a_user_or_a_session_feedback_is_refused(client):
    content = client.get("/similar/image-00004").json()
    answer = content["answers"][0]
    event = {"request_id": content["request_id"], "image_id": answer["image_id"], "position": 1, "type": "click"}
    response = client.post("/feedback", json=event)
    assert response.status_code == 400
    assert "nobody is named" in response.json()["error"]


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"request_id": "0" * 32}, "request_id: no such request"),
        ({"request_id": "../../x"}, "request_id: "),
        ({"image_id": "image-00005"}, "image_id and position: "),
        ({"position": 2}, "image_id and position: "),
        ({"position": 0}, "position: "),
        ({"type": "buy"}, "type: "),
        ({"type": "dwell"}, "dwell_ms: "),
        ({"dwell_ms": 5}, "dwell_ms: "),
        ({"type": "dwell", "dwell_ms": -1}, "dwell_ms: "),
        ({"type": "dwell", "dwell_ms": 10**9}, "dwell_ms: "),
        ({"type": "dwell", "dwell_ms": "NaN"}, "dwell_ms: "),
        ({"user_id": "user-8"}, "user_id: there is no such field"),
    ],
)
def test_feedback_on_what_was_not_answered_is_refused(client, change, line):
    content = searched(client, image_id="image-00004")
    first = content["answers"][0]
    event = {"request_id": content["request_id"], "image_id": first["image_id"], "position": 1, "type": "click"}
    response = client.post("/feedback", json={**event, **change}, headers=SESSION)
    assert response.status_code == 400
    assert response.json()["error"].startswith(line)
    assert landed(client, "interactions") == []


def test_feedback_as_a_form_which_another_site_could_send_is_refused(client):
    assert client.post("/feedback", data={"type": "click"}, headers=SESSION).status_code == 415
    body = b'{"type": "click"}'
    assert client.post("/feedback", content=body, headers={"Content-Type": "text/plain"}).status_code == 415


@pytest.mark.parametrize("header", ["short", "x" * 65, "a b c d e f", "user/../../x", "größe-größe".encode(), ""])
def test_a_session_that_is_no_id_is_refused(client, header):
    assert client.get("/similar/image-00004", headers={"X-Session": header}).status_code == 400


def test_a_session_is_never_the_id_of_a_user_of_the_platform():
    assert session_of("user-00000001") == "session-user-00000001"
    assert session_of(None) is None


# Requests that are remembered.


def answers(count: int) -> Answers:
    listed = tuple(
        Answer(i, f"image-{i}", 0.5, (), "o", datetime(2026, 3, 1, tzinfo=UTC), None) for i in range(1, count + 1)
    )
    return Answers("v1", None, None, listed, None, Timings(0, 0, 0))


def test_the_oldest_requests_are_forgotten_when_their_answers_are_too_many():
    remembered = RememberedRequests(answers=100, minutes=60)
    ids = [remembered.remember(Ask(image_id="q"), answers(9), session=None, upload_id=None) for _ in range(30)]
    kept = [request_id for request_id in ids if remembered.get(request_id)]
    assert kept == ids[-10:]
    assert len(set(ids)) == 30
    assert remembered.get(remembered.remember(Ask(image_id="q"), answers(200), session=None, upload_id=None)) is None


def test_requests_are_forgotten_after_their_time():
    remembered = RememberedRequests(answers=100, minutes=1e-9)
    request_id = remembered.remember(Ask(image_id="q"), answers(3), session=None, upload_id=None)
    assert remembered.get(request_id) is None


# Files in the landing zone.


def names(folder: Path) -> list[str]:
    return sorted(str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file())


def test_a_file_is_in_the_partition_of_its_day_and_two_servers_do_not_write_the_same_one(tmp_path):
    for _ in range(2):
        waiting = LandedFeedback(str(tmp_path), seconds=60, max_events=10)
        waiting.add("judgements", "k", {"score": 5})
        waiting.write()
        waiting.write()
    first, second = names(tmp_path)
    day = datetime.now(UTC).strftime("%Y-%m-%d")
    for name in (first, second):
        assert re.fullmatch(rf"judgements/date={day}/served-\d{{8}}T\d{{6}}-[0-9a-f]{{8}}-000001\.jsonl", name)
    assert first != second


def test_no_file_is_ever_seen_half_written(tmp_path):
    """A reader lists and reads the folder all the time, as a nightly run might."""
    waiting = LandedFeedback(str(tmp_path), seconds=60, max_events=100_000)
    done = threading.Event()
    lengths = set()

    def read() -> None:
        while not done.is_set():
            for file in tmp_path.rglob("served-*.jsonl"):
                lengths.add(len([json.loads(line) for line in file.read_text().splitlines()]))

    reader = threading.Thread(target=read)
    reader.start()
    for turn in range(20):
        for number in range(2000):
            waiting.add("interactions", f"{turn}-{number}", {"event_id": f"{turn}-{number}", "text": "x" * 50})
        waiting.write()
    done.set()
    reader.join()
    assert lengths == {2000}


def test_feedback_is_written_at_intervals_and_at_the_end(tmp_path):
    waiting = LandedFeedback(str(tmp_path), seconds=0.05, max_events=10)
    waiting.start()
    waiting.add("interactions", "a", {"event_id": "a"})
    end = datetime.now(UTC).timestamp() + 10
    while not names(tmp_path):
        assert datetime.now(UTC).timestamp() < end
    waiting.add("judgements", "b", {"score": 1})
    waiting.stop()
    assert len(names(tmp_path)) == 2
    assert waiting.waiting == 0


def test_feedback_that_cannot_be_written_waits_and_one_line_says_why(tmp_path, capsys):
    landing = tmp_path / "landing"
    landing.write_text("a file is where the folder must be")
    waiting = LandedFeedback(str(landing), seconds=60, max_events=10)
    waiting.add("interactions", "a", {"event_id": "a"})
    waiting.write()
    assert (waiting.waiting, waiting.failures) == (1, 1)
    error = capsys.readouterr().err
    assert error.startswith("vsearch: feedback could not be written, it waits: ")
    assert error.count("\n") == 1
    landing.unlink()
    waiting.write()
    assert waiting.waiting == 0
    assert len(names(landing)) == 1


def test_too_much_feedback_is_refused_and_what_waits_is_kept(tmp_path):
    waiting = LandedFeedback(str(tmp_path), seconds=60, max_events=2)
    waiting.add("interactions", "a", {"event_id": "a"})
    waiting.add("judgements", "b", {"score": 1})
    waiting.add("interactions", "a", {"event_id": "a", "dwell_ms": 3})
    with pytest.raises(FeedbackFull):
        waiting.add("interactions", "c", {"event_id": "c"})
    waiting.write()
    waiting.add("interactions", "c", {"event_id": "c"})
    assert waiting.waiting == 1


def test_a_client_is_told_to_come_back_when_too_much_feedback_waits(client_of, service, served):
    client = client_of(service, served.settings, feedback_events=1)
    content = searched(client, image_id="image-00004")
    assert told(client, content, 1, "click").status_code == 202
    response = told(client, content, 2, "click")
    assert response.status_code == 429
    assert response.headers["Retry-After"] == "60"


def test_the_steps_of_the_night_ingest_what_was_written(client, served, spark, tmp_path):
    from vsearch_lib.context import StepContext
    from vsearch_lib.lake import Lake
    from vsearch_lib.records.step import ingest_interactions, ingest_judgements

    whole = searched(client, image_id="image-00004")
    part = searched(client, image_id="image-00004", crop="0.25,0,0.5,1")
    uploaded = client.post("/search", files={"image": ("p", served.pictures[4])}, data={"k": "3"}, headers=SESSION)
    told(client, whole, 1, "click")
    told(client, whole, 1, "dwell", dwell_ms=1500)
    told(client, whole, 1, "up")
    told(client, part, 2, "impression")
    told(client, uploaded.json(), 0, "click")
    landed(client, "interactions")
    settings = served.settings.model_copy(
        update={"landing": served.settings.landing.model_copy(update={"uri": str(client.landing)})}
    )
    lake = Lake(spark, str(tmp_path / "lake"), "run-1")
    context = StepContext(settings=settings, lake=lake, run_id="run-1", say=lambda _: None)
    for step in (ingest_interactions, ingest_judgements):
        figures = {figure.metric: figure.value for figure in step(context)}
        assert {value for name, value in figures.items() if name.endswith("_refused")} == {0}
    events = {(row.request_id, row.type): row for row in lake.read("interactions").collect()}
    assert len(events) == 3
    click = events[whole["request_id"], "click"]
    assert (click.dwell_ms, click.position, click.query_image_id, click.crop_x) == (1500, 2, "image-00004", None)
    shown = events[part["request_id"], "impression"]
    assert (shown.crop_x, shown.crop_y, shown.crop_width, shown.crop_height) == (0.25, 0.0, 0.5, 1.0)
    assert events[uploaded.json()["request_id"], "click"].query_upload_id.startswith("upload-")
    judgement = lake.read("judgements").collect()[0]
    assert (judgement.query_image_id, judgement.annotator, judgement.score) == ("image-00004", USER, 5)
