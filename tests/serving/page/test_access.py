"""The page can be used by keyboard, with a screen reader, on a small screen, and in dark and light."""

from __future__ import annotations

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.support.shop import scene


def press(page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def test_the_box_is_set_by_keyboard_alone_and_each_change_is_said(visit):
    tab, voice = visit(), "#voice"
    tab.go()
    tab.bring(scene().jpeg)
    for _ in range(30):
        if tab.page.evaluate("document.activeElement.id") == "crop":
            break
        press(tab.page, "Tab")
    assert tab.page.evaluate("document.activeElement.id") == "crop"
    whole = tab.ids()
    press(tab.page, "ArrowRight")
    expect(tab.page.locator(voice)).to_have_text("The whole picture. Shift with arrow left or arrow up makes a box.")
    with tab.page.expect_response("**/search") as searched:
        press(tab.page, *["Shift+ArrowLeft"] * 10, *["Shift+ArrowUp"] * 2, "ArrowDown", "Alt+ArrowRight")
        expect(tab.page.locator(voice)).to_have_text(
            "Box at the middle left: 50 percent wide, 90 percent high, 1 percent from the left, 5 percent from the top."
        )
    assert searched.value.json()["crop"] == pytest.approx([0.01, 0.05, 0.5, 0.9], abs=0.005)
    expect(tab.page.locator(voice)).to_have_text(re.compile(r"^\d+ answers\."))
    assert tab.ids() != whole
    press(tab.page, *["ArrowLeft"] * 2)
    expect(tab.page.locator(voice)).to_have_text(re.compile("^It ends here. Box at the middle left: .* 0 percent from"))
    press(tab.page, "Escape")
    expect(tab.page.locator(voice)).to_have_text("The whole picture.")


def test_a_finger_sizes_and_moves_the_box_and_beside_it_scrolls_the_page(visit):
    tab = visit(width=360, height=700, has_touch=True)
    tab.go("?image=mug/1")
    frame = tab.page.locator(".frame").bounding_box()
    finger = tab.page.context.new_cdp_session(tab.page)

    def drag(start: tuple[float, float], end: tuple[float, float]) -> None:
        points = [
            {"x": frame["x"] + x * frame["width"], "y": frame["y"] + y * frame["height"]} for x, y in (start, end)
        ]
        finger.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [points[0]]})
        finger.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [points[1]]})
        finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

    state = tab.page.locator("#crop-state")
    tab.after(lambda: drag((1, 1), (0.5, 0.5)))
    expect(state).to_have_text(re.compile("^Box at the top left: 50 percent wide, 50 percent high, 0 percent"))
    tab.after(lambda: drag((0.25, 0.25), (0.5, 0.5)))
    moved = (
        "Box at the middle centre: 50 percent wide, 50 percent high, 25 percent from the left, 25 percent from the top."
    )
    expect(state).to_have_text(moved)
    drag((0.1, 0.95), (0.3, 0.2))
    expect(state).to_have_text(moved)


def test_the_photo_is_offered_to_screen_readers_with_its_keys(visit):
    tab = visit()
    tab.go("?image=mug/1")
    crop = tab.page.get_by_role("application", name="Part of the picture to search with")
    expect(crop).to_have_accessible_description(re.compile(r"The whole picture\. Arrow keys move the box\."))


def test_focus_goes_to_the_heading_of_the_next_query(visit):
    tab = visit()
    tab.go("?image=mug/1")
    tab.page.locator("#grid .picture").nth(1).focus()
    tab.after(lambda: press(tab.page, "Enter"))
    expect(tab.page.get_by_role("heading", level=1)).to_be_focused()


@pytest.mark.parametrize("state", ["start", "answers", "no answers", "refused"])
def test_axe_finds_no_serious_issue_in_light_and_dark(visit, state):
    tab = visit()
    queries = {"start": "", "no answers": "?image=mug/1&tag=none", "refused": "?image=none", "answers": "?image=mug/1"}
    tab.go(queries[state])
    if state == "answers":
        tab.bring(scene().jpeg)
        tab.after(tab.page.locator("#grid .picture").first.click)
        tab.page.locator("#grid .card").first.get_by_text("Details").click()
        tab.page.locator("#grid [data-thumb=up]").first.click()
    for scheme in ("light", "dark"):
        tab.page.emulate_media(color_scheme=scheme)
        tab.page.evaluate("Promise.all(document.getAnimations().map(each => each.finished.catch(() => {})))")
        found = Axe().run(tab.page).response["violations"]
        serious = [rule for rule in found if rule["impact"] in ("serious", "critical")]
        assert {rule["id"]: [node["target"] for node in rule["nodes"]] for rule in serious} == {}, scheme


@pytest.mark.parametrize("width", [320, 640])  # 640 is 1280 at a zoom of 200 %
def test_nothing_is_wider_than_the_screen(visit, width):
    tab = visit(width=width, height=640)
    for query in ("", "?image=mug/1"):
        tab.go(query)
        for folded in tab.page.locator("details:not([open]) > summary:visible").all()[:3]:
            folded.click()
        assert tab.page.evaluate("document.documentElement.scrollWidth") <= width


def test_pictures_of_a_row_are_equally_high(visit):
    tab = visit()
    tab.go("?image=mug/1")
    expect(tab.page.locator("#grid .card.loaded")).to_have_count(len(tab.ids()))
    boxes = [picture.bounding_box() for picture in tab.page.locator("#grid .picture").all()]
    rows = {round(box["y"]): [each["height"] for each in boxes if abs(each["y"] - box["y"]) < 1] for box in boxes}
    assert len(rows) > 1
    assert all(max(heights) - min(heights) < 1 for heights in rows.values())
