"""What people do on the page lands as interactions and judgements."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.shop import scene

Record = dict[str, Any]


@pytest.fixture
def landed(shop) -> Callable[[str, Callable[[Record], bool]], list[Record]]:
    """A function that waits for records of a kind that fulfil a condition."""

    def wait(kind: str, wanted: Callable[[Record], bool]) -> list[Record]:
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            files = sorted(Path(shop.landing.uri, kind).rglob("*.jsonl"))
            lines = [json.loads(line) for file in files for line in file.read_text().splitlines()]
            if found := [record for record in lines if wanted(record)]:
                return found
            time.sleep(0.1)
        return []

    return wait


def session_of(page) -> str:
    return page.evaluate("sessionStorage.getItem('vsearch-session')")


def test_a_click_lands_with_its_position_its_box_and_how_long_it_was_looked_at(visit, landed):
    tab = visit()
    tab.go()
    tab.bring(scene().jpeg)
    tab.drag_box(0.5, 0.3, 0.4, 0.6)
    opened = tab.ids()[1]
    tab.after(tab.page.locator("#grid .picture").nth(1).click)
    tab.page.wait_for_timeout(250)
    tab.page.get_by_role("button", name="Back", exact=True).click()
    mine = f"session-{session_of(tab.page)}"
    (click,) = landed(
        "interactions", lambda r: r["user_id"] == mine and r["type"] == "click" and (r.get("dwell_ms") or 0) >= 250
    )[-1:]
    assert (click["displayed_image_id"], click["position"]) == (opened, 2)
    assert click["query_upload_id"]
    assert click["crop_width"] == pytest.approx(0.4, abs=0.02)
    seen = landed("interactions", lambda r: r["request_id"] == click["request_id"] and r["type"] == "impression")
    assert {record["position"] for record in seen} >= {1, 2}


def test_only_answers_that_were_on_the_screen_are_impressions(visit, landed):
    tab = visit(width=360, height=700)
    tab.go("?image=mug/1")
    tab.page.locator("#grid .picture").nth(1).scroll_into_view_if_needed()
    mine = f"session-{session_of(tab.page)}"
    assert landed("interactions", lambda r: r["user_id"] == mine and r["position"] == 2)
    positions = {r["position"] for r in landed("interactions", lambda r: r["user_id"] == mine)}
    assert max(positions) < len(tab.ids())


def test_thumbs_land_as_judgements(visit, landed):
    tab = visit()
    tab.go("?image=mug/1")
    good, bad = tab.ids()[0], tab.ids()[-1]
    up = tab.page.locator("#grid .card").first.get_by_role("button", name="Good answer")
    up.click()
    assert up.get_attribute("aria-pressed") == "true"
    tab.page.locator("#grid .card").last.get_by_role("button", name="Bad answer").click()
    mine = f"session-{session_of(tab.page)}"
    scores = {
        wanted: landed("judgements", lambda r, wanted=wanted: r["annotator"] == mine and r["image_id"] == wanted)
        for wanted in (good, bad)
    }
    assert [record["score"] for record in scores[good]] == [5]
    assert [record["score"] for record in scores[bad]] == [0]
    assert {record["query_image_id"] for records in scores.values() for record in records} == {"mug/1"}


def test_a_photo_has_no_thumbs_because_no_judgement_could_name_it(visit):
    tab = visit()
    tab.go()
    tab.bring(scene().jpeg)
    assert tab.page.get_by_role("button", name="Good answer").count() == 0


def test_a_session_is_a_random_number_of_its_tab(visit):
    first, second = visit(), visit()
    first.go()
    second.go()
    names = {session_of(first.page), session_of(second.page)}
    assert len(names) == 2
    first.page.reload()
    assert session_of(first.page) in names
    assert first.page.context.cookies() == []
