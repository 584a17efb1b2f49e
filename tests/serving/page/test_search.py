"""People search with a photo and its parts, go on from an answer, filter, and come back."""

from __future__ import annotations

import base64
import re
from contextlib import suppress
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Error, Page, expect

from tests.support.shop import DESIGNS, MARKUP, PHOTOS, scene
from vsearch_lib.demo.studio import draw_one
from vsearch_lib.serving.rules import diversity, near_duplicates, newest, owner_limit

LAMPS, HANDBAGS = ({f"{shape}/{n}" for n in range(PHOTOS)} for shape in ("lamp", "handbag"))

BRING = """([content, type, way]) => {
  const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
  const files = new DataTransfer();
  files.items.add(new File([bytes], "photo", { type }));
  const how = { bubbles: true, cancelable: true };
  const events = {
    drop: ["dragover", "drop"].map((name) => new DragEvent(name, { dataTransfer: files, ...how })),
    paste: [new ClipboardEvent("paste", { clipboardData: files, ...how })],
  };
  for (const event of events[way]) document.body.dispatchEvent(event);
}"""


# How dark each value of a map is drawn, 0 to 255.
DARKNESS = """(canvas) => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return Array.from(data).filter((_, index) => index % 4 === 3);
}"""
MARKING_RULES = [rule.NAME for rule in (diversity, near_duplicates, newest, owner_limit)]


def drop(page: Page, content: bytes, kind: str = "image/jpeg") -> None:
    page.evaluate(BRING, [base64.b64encode(content).decode(), kind, "drop"])


def paste(page: Page, content: bytes, kind: str = "image/jpeg") -> None:
    page.evaluate(BRING, [base64.b64encode(content).decode(), kind, "paste"])


def share_of_handbags(ids: list[str]) -> float:
    return len(HANDBAGS & set(ids[:PHOTOS])) / PHOTOS


def fields(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def test_the_page_starts_with_images_of_the_catalogue(visit):
    tab = visit()
    tab.go()
    assert tab.page.locator("#start-images .card img").count() == 24
    expect(tab.page.get_by_role("heading", level=1)).to_have_text("Find what looks alike")
    tab.after(tab.page.locator("#start-images .picture").first.click)
    expect(tab.page.get_by_role("heading", level=1)).to_have_text("Images like this one")


def test_a_dragged_box_finds_the_thing_in_it_better_than_the_whole_photo(visit):
    tab, two = visit(), scene()
    tab.go()
    tab.after(lambda: drop(tab.page, two.jpeg))
    whole = tab.ids()
    tab.drag_box(*two.handbag)
    part = tab.ids()
    assert share_of_handbags(whole) < 0.5
    assert share_of_handbags(part) == 1
    similarities = [float(text) for text in tab.page.locator("#grid [data-similarity]").all_inner_texts()]
    assert similarities == sorted(similarities, reverse=True)


def test_a_pasted_photo_is_searched(visit):
    tab = visit()
    tab.go()
    tab.after(lambda: paste(tab.page, draw_one((11, 1, DESIGNS[1]))))
    expect(tab.page.get_by_role("heading", level=1)).to_have_text("Images like your photo")
    assert tab.ids()[0] in LAMPS


def test_a_click_searches_from_an_answer_and_back_leads_to_the_same_box_and_answers(visit):
    tab, two = visit(), scene()
    tab.go()
    tab.bring(two.jpeg)
    tab.drag_box(*two.handbag)
    before = tab.ids()
    box = tab.page.locator("#crop-state").inner_text()
    tab.after(tab.page.locator("#grid .picture").first.click)
    assert fields(tab.page) == {"image": [before[0]]}
    assert before[0] not in tab.ids()
    assert share_of_handbags([before[0], *tab.ids()]) == 1
    tab.page.get_by_role("button", name="Back to your photo").click()
    expect(tab.page.get_by_role("heading", level=1)).to_have_text("Images like your photo")
    assert tab.ids() == before
    assert tab.page.locator("#crop-state").inner_text() == box != "The whole picture."
    tab.page.go_forward()
    expect(tab.page.get_by_role("heading", level=1)).to_have_text("Images like this one")


def test_filters_stand_in_the_address_and_back_undoes_them(visit):
    tab = visit()
    tab.go("?image=lamp/1")
    everything = tab.ids()
    tab.page.get_by_role("combobox", name="Tags").fill("plain")
    tab.after(lambda: tab.page.keyboard.press("Enter"))
    assert set(tab.ids()) == LAMPS - {"lamp/1"}
    tab.after(lambda: tab.page.get_by_label("Uploaded since").fill("2026-11-03"))
    assert set(tab.ids()) == {"lamp/2", "lamp/3", "lamp/4"}
    tab.after(lambda: tab.page.get_by_label("Order").select_option("newest"))
    assert tab.ids() == ["lamp/4", "lamp/3", "lamp/2"]
    tab.page.get_by_role("textbox", name="Owner").fill("owner-3")
    tab.after(tab.page.get_by_role("textbox", name="Owner").blur)
    assert tab.ids() == ["lamp/3"]
    shared = visit()
    shared.go(f"?{urlsplit(tab.page.url).query}")
    assert shared.ids() == ["lamp/3"]
    expect(shared.page.get_by_role("button", name="Remove the tag plain")).to_be_visible()
    for _ in range(4):
        tab.page.go_back()
    expect(tab.page.locator("#grid .card")).to_have_count(len(everything))
    assert tab.ids() == everything


def test_copies_are_answers_only_if_they_are_wanted(visit):
    tab = visit()
    tab.go("?image=lamp/1")
    assert "lamp/1" not in tab.ids()
    tab.after(tab.page.get_by_label("Show copies too").check)
    assert tab.ids()[0] == "lamp/1"


def test_a_box_on_an_image_of_the_catalogue_stands_in_the_address(visit):
    tab = visit()
    tab.go("?image=lamp/1")
    tab.drag_box(0.2, 0.2, 0.6, 0.6)
    x, y, width, height = (float(number) for number in fields(tab.page)["crop"][0].split(","))
    assert (x, y, width, height) == pytest.approx((0.2, 0.2, 0.6, 0.6), abs=0.02)
    found = tab.ids()
    tab.page.reload()
    tab.settle()
    assert tab.ids() == found


def test_the_suggested_part_is_offered_and_searched_only_if_it_is_taken(visit):
    tab = visit()
    tab.go()
    tab.bring(scene().jpeg)
    expect(tab.page.locator("#offer")).to_be_hidden()  # the two objects fill the photo
    tab.bring(draw_one((11, 1, DESIGNS[1])))
    expect(tab.page.locator("#suggestion")).to_be_visible()
    expect(tab.page.locator("#crop-state")).to_have_text("The whole picture.")
    tab.after(tab.page.get_by_role("button", name="Yes, search this").click)
    expect(tab.page.locator("#crop-state")).to_have_text(re.compile("^Box at the"))
    expect(tab.page.locator("#offer")).to_be_hidden()


def test_what_the_model_looks_at_is_drawn_over_photo_and_answers_while_it_is_wanted(visit):
    tab = visit()
    tab.go()
    tab.bring(scene().jpeg)
    toggle = tab.page.get_by_role("button", name="What the model looks at")
    toggle.click()
    expect(toggle).to_have_attribute("aria-pressed", "true")
    maps = tab.page.locator("#photo-map, #grid .card:nth-child(-n+2) .map")
    for drawn in (maps.nth(0), maps.nth(1), maps.nth(2)):
        expect(drawn).to_be_visible()
        darkness = drawn.evaluate(DARKNESS)
        assert min(darkness) == 0  # the part that counts most is not darkened
        assert max(darkness) > 100
    expect(tab.page.locator("#legend")).to_be_visible()
    toggle.click()
    expect(tab.page.locator(".map:visible")).to_have_count(0)


def test_each_rule_that_moves_or_keeps_an_answer_is_explained_in_words(visit):
    tab = visit()
    tab.go("?image=mug/1")
    for rule in MARKING_RULES:
        words = tab.page.evaluate("async (rule) => (await import('./page/reasons.js')).reasons([rule])", rule)
        assert words != rule.replace("_", " ")
        assert words[0].isupper()


def test_no_answers_are_explained(visit):
    tab = visit()
    tab.go("?image=lamp/1&tag=nothing+has+this")
    assert tab.ids() == []
    expect(tab.page.locator("#note")).to_be_visible()


def test_what_the_server_refuses_is_said_in_its_one_line(visit):
    tab = visit()
    tab.go()
    tab.after(lambda: drop(tab.page, b"this is no picture", "image/png"))
    alert = tab.page.get_by_role("alert")
    expect(alert).to_contain_text("unsupported_format")
    tab.go("?image=nobody/has/this")
    expect(alert).to_be_visible()
    assert tab.ids() == []


def test_a_device_that_is_offline_is_told_so_and_can_try_again(visit):
    tab = visit()
    tab.go("?image=lamp/1")
    tab.page.context.set_offline(True)
    tab.page.locator("#grid .picture").first.click()
    expect(tab.page.get_by_role("alert")).to_contain_text("This device is offline.")
    tab.page.context.set_offline(False)
    tab.after(tab.page.get_by_role("button", name="Try again").click)
    assert len(tab.ids()) > 0
    expect(tab.page.get_by_role("alert")).to_be_hidden()


def test_answers_that_come_too_late_are_ignored(visit):
    tab, held = visit(), []
    tab.go("?image=mug/1")
    tab.page.route("**/similar/*", lambda route: held.append(route))
    tab.page.locator("#grid .picture").first.click()
    tab.page.wait_for_function("document.querySelector('#grid').getAttribute('aria-busy')")
    first = fields(tab.page)["image"]
    tab.page.unroute("**/similar/*")
    tab.page.go_back()
    tab.settle()
    before = tab.ids()
    (late,) = held
    with suppress(Error):  # the page has given the request up
        late.continue_()
    tab.page.wait_for_timeout(300)
    assert first != ["mug/1"]
    assert tab.ids() == before
    expect(tab.page.get_by_role("alert")).to_be_hidden()


def test_what_people_write_is_shown_as_text(visit):
    tab = visit()
    tab.go("?image=lamp/1&tag=" + MARKUP)
    assert tab.ids() == ["lamp/0"]
    expect(tab.page.get_by_role("button", name=f"Only with the tag {MARKUP}")).to_have_text(MARKUP)
    assert tab.page.locator("main b").count() == 0


def test_an_answer_has_its_facts_and_a_link_to_its_original(visit):
    tab = visit()
    tab.go("?image=mug/1")
    card = tab.page.locator("#grid .card").first
    card.get_by_text("Details").click()
    image_id = tab.ids()[0]
    expect(card.locator("[data-id]")).to_have_text(image_id)
    link = card.get_by_role("link", name="Open the original")
    assert link.get_attribute("href") == f"https://shop.example/{image_id.replace('/', '-')}.jpg"
    assert link.get_attribute("rel") == "noopener noreferrer"
    design = DESIGNS[0]
    tags = card.locator("[data-tags] button").all_inner_texts()
    assert tags == [design.shape, design.pattern, design.palette, design.material]
