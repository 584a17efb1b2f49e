"""A canary version answers its share of the users, always the same ones, and nobody if it cannot be opened."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np
import pytest
from scipy.stats import chi2_contingency
from starlette.testclient import TestClient

from tests.serving.http.conftest import with_serving
from tests.support import served_catalogue
from tests.support.loopback import serving, url_of, wait_until
from vsearch_lib.config.settings import Canary
from vsearch_lib.errors import ArtefactError, UnknownImage
from vsearch_lib.search.filter import Filter
from vsearch_lib.serving.ask import Answer, Answers, Ask, Timings
from vsearch_lib.serving.http.routing import Routing, is_drawn
from vsearch_lib.serving.http.start import _all, _embedding, _neighbours, _ranking

CANARY = Canary(version="v2", name="new", control="old", share=0.3)
USERS = [f"session-{number}" for number in range(4000)]


# Who is drawn.


@pytest.mark.parametrize("share", [0.01, 0.3, 0.5])
def test_the_share_of_the_users_is_drawn(share):
    drawn = sum(is_drawn(user, experiment="new", share=share) for user in USERS)
    assert drawn == pytest.approx(share * len(USERS), abs=4 * np.sqrt(share * (1 - share) * len(USERS)))


def test_two_experiments_draw_independently_and_a_larger_share_keeps_those_who_were_drawn():
    first, second = ([is_drawn(user, experiment=name, share=0.5) for user in USERS] for name in ("one", "two"))
    table = np.histogram2d(first, second, bins=2)[0]
    assert chi2_contingency(table).pvalue > 0.01
    small = {user for user in USERS if is_drawn(user, experiment="one", share=0.1)}
    assert small <= {user for user, drawn in zip(USERS, first, strict=True) if drawn}


# Routing between services that only know ids.


@dataclass
class Known:
    """A service that answers with all images it knows."""

    version: str
    images: list[str]
    asked: int = 0
    hidden: set[str] = field(default_factory=set)

    def search(self, ask: Ask) -> Answers:
        self.asked += 1
        if ask.image_id is not None and ask.image_id not in self.images:
            raise UnknownImage("image_id", ask.image_id)
        moment = datetime(2026, 3, 1, tzinfo=UTC)
        listed = (Answer(rank, name, 0.5, (), "o", moment, None) for rank, name in enumerate(self.images, 1))
        return Answers(self.version, None, None, tuple(listed), None, Timings(0, 0, 0))

    def facts(self, image_ids, viewer_id):
        return {name: None for name in image_ids if name in self.images and name not in self.hidden}


def routed(control: Known, canary: Known) -> Routing:
    routing = Routing(control, CANARY, lambda: canary)
    assert routing.open() is True
    assert routing.open() is False
    return routing


def answered(routing: Routing, user: str | None, ask: Ask | None = None) -> tuple[str, list[str], str | None]:
    found, _, variant = routing.answers(
        ask or Ask(image_id="a"), user, lambda service: (service.search(ask or Ask()), 0)
    )
    assert [answer.rank for answer in found.answers] == list(range(1, len(found.answers) + 1))
    return found.version, [answer.image_id for answer in found.answers], variant


DRAWN = next(user for user in USERS if is_drawn(user, experiment="new", share=0.3))
OTHER = next(user for user in USERS if not is_drawn(user, experiment="new", share=0.3))


def test_a_user_is_answered_by_the_version_that_was_drawn_and_an_unknown_one_takes_part_in_nothing():
    routing = routed(Known("v1", ["a", "b"]), Known("v2", ["b", "a"]))
    assert answered(routing, DRAWN) == ("v2", ["b", "a"], "new")
    assert answered(routing, OTHER) == ("v1", ["a", "b"], "old")
    assert answered(routing, None) == ("v1", ["a", "b"], None)


def test_the_canary_shows_nothing_that_the_published_version_hides():
    routing = routed(Known("v1", ["a", "b", "c"], hidden={"c"}), Known("v2", ["c", "b", "z", "a"]))
    assert answered(routing, DRAWN) == ("v2", ["b", "a"], "new")


def test_a_query_with_an_image_that_one_of_them_does_not_know_is_answered_by_the_published_version():
    control, canary = Known("v1", ["a", "new-image"], hidden={"gone"}), Known("v2", ["a", "gone"])
    routing = routed(control, canary)
    assert answered(routing, DRAWN, Ask(image_id="new-image"))[::2] == ("v1", "new")
    before = canary.asked
    with pytest.raises(UnknownImage):
        answered(routing, DRAWN, Ask(image_id="gone", wanted=Filter(viewer_id=DRAWN)))
    assert canary.asked == before


def test_nobody_takes_part_while_the_canary_is_not_open_or_is_the_published_version():
    control, canary = Known("v1", ["a"]), Known("v2", ["a"])
    for routing in (Routing(control, CANARY, lambda: canary), Routing(control, CANARY, None)):
        assert answered(routing, DRAWN) == ("v1", ["a"], None)
    assert Routing(control, CANARY, None).open() is False
    routing = routed(control, canary)
    control.version = "v2"
    assert answered(routing, DRAWN) == ("v2", ["a"], None)
    assert answered(routing, OTHER) == ("v2", ["a"], None)


def test_a_canary_that_could_not_be_opened_is_tried_again():
    opening = iter([ArtefactError("damaged"), Known("v2", ["a"])])

    def opened() -> Known:
        found = next(opening)
        if isinstance(found, Exception):
            raise found
        return found

    routing = Routing(Known("v1", ["a"]), CANARY, opened)
    with pytest.raises(ArtefactError):
        routing.open()
    assert not routing.is_open
    assert routing.open() is True
    assert answered(routing, DRAWN)[0] == "v2"


# The service, with versions of a catalogue.


@pytest.fixture(scope="module")
def two_versions(tmp_path_factory):
    """CURRENT is v3, which lacks the last images; v2 can be the canary."""
    made = served_catalogue.catalogue(tmp_path_factory.mktemp("canary"), 24)
    made.publish("v2")
    made.publish("v3", range(20))
    return made


def settings_of(served, tmp_path, version: str, **urls):
    canary = Canary(version=version, name="new", control="old", share=0.3)
    landing = served.settings.landing.model_copy(update={"uri": str(tmp_path / "landing")})
    settings = with_serving(served.settings, canary=canary, refresh_seconds=0.02, **urls)
    return settings.model_copy(update={"landing": landing})


def header(user: str) -> dict[str, str]:
    return {"X-Session": user.removeprefix("session-").rjust(8, "0")}


def user_of(*, drawn: bool) -> str:
    padded = (f"session-{number:08}" for number in range(1000))
    return next(user for user in padded if is_drawn(user, experiment="new", share=0.3) is drawn)


def test_answers_feedback_and_figures_name_the_variant(two_versions, tmp_path):
    app, _ = _all(settings_of(two_versions, tmp_path, "v2"), ())
    with TestClient(app, base_url="http://127.0.0.1") as client:
        for drawn, version, variant in ((True, "v2", "new"), (False, "v3", "old")):
            content = client.get("/similar/image-00004", headers=header(user_of(drawn=drawn))).json()
            assert (content["version"], content["variant"]) == (version, variant)
            shown = {"image_id": content["answers"][0]["image_id"], "position": 1, "type": "click"}
            event = {"request_id": content["request_id"], **shown}
            assert client.post("/feedback", json=event, headers=header(user_of(drawn=drawn))).status_code == 202
        assert client.get("/similar/image-00004").json()["variant"] is None
        figures = client.get("/metrics").text
    for variant in ("new", "old", "none"):
        assert f'vsearch_variant_queries_total{{variant="{variant}"}} 1.0' in figures
    assert "vsearch_canary_open 1.0" in figures
    files = (tmp_path / "landing" / "interactions").glob("date=*/*.jsonl")
    records = [json.loads(line) for file in files for line in file.read_text().splitlines()]
    assert {(record["variant"], record["index_version"]) for record in records} == {("new", "v2"), ("old", "v3")}


def test_a_canary_that_cannot_be_opened_is_said_once_and_everybody_is_answered(two_versions, tmp_path, capsys):
    app, _ = _all(settings_of(two_versions, tmp_path, "v9"), ())
    with TestClient(app, base_url="http://127.0.0.1") as client:
        content = client.get("/similar/image-00004", headers=header(user_of(drawn=True))).json()
        assert (content["version"], content["variant"]) == ("v3", None)
        figures = client.get("/metrics").text
    assert "vsearch_canary_open 0.0" in figures
    assert "vsearch_refresh_failing 0.0" in figures
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert error.startswith("vsearch: the canary v9 cannot be opened, the published version answers everybody: ")


def test_three_processes_route_as_one_does(two_versions, tmp_path):
    settings = settings_of(two_versions, tmp_path, "v2")
    with serving(_embedding(settings, ())[0]) as embedding, serving(_neighbours(settings, ())[0]) as neighbours:
        urls = {"embedding_url": url_of(embedding), "neighbours_url": url_of(neighbours)}
        app, _ = _ranking(settings_of(two_versions, tmp_path, "v2", **urls), ())
        with TestClient(app, base_url="http://127.0.0.1") as client:
            wait_until(lambda: "vsearch_canary_open 1.0" in client.get("/metrics").text)
            for drawn, version in ((True, "v2"), (False, "v3")):
                sent = {"files": {"image": ("p", two_versions.pictures[4])}, "headers": header(user_of(drawn=drawn))}
                assert client.post("/search", **sent).json()["version"] == version
