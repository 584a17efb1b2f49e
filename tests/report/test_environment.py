"""All pages share a head, colours, and the treatment of text from outside."""

from __future__ import annotations

import re
from typing import get_args

import pytest

from tests.support.elements import Elements
from vsearch_lib.config import PROJECT
from vsearch_lib.report.bars import Bar, Bars, Counts
from vsearch_lib.report.charts import Chart, Point
from vsearch_lib.report.environment import page_environment
from vsearch_lib.report.page import Answer, Block, Query, Section, Table, render_sections
from vsearch_lib.report.pictures import Gallery, Picture, PictureMap, Spot
from vsearch_lib.report.scatter import Dot, Scatter, Series

TEMPLATES = sorted((PROJECT / "vsearch_lib").rglob("*.j2"))
EVIL = "\"><script>alert('x')</script><img src=http://evil.example/x.png onerror=alert(1)>"
UNSAFE = "a\x1b[31m\u202eb\nc\ud800 é"
SHOWN = r"a\x1b[31m\u202eb\nc\ud800 é"


def page(text: str, jpeg: bytes) -> str:
    """Return a page with every kind of block, with `text` wherever a page shows text from outside."""
    picture = Picture(text, jpeg, text)
    blocks = [
        Table([text], [[text]], title=text, note=text),
        Chart(text, [Point(0, 0.5, 0.5, 0.5, text), Point(1, 0.5, 0.5, 0.5, text)], text, text),
        Counts([(text, text)]),
        Bars(text, text, [Bar(text, 1.0, text)]),
        Bars(text, text, [Bar(text, 1.0, text)], upright=True),
        Scatter(text, [Series(text, [Dot(1.0, 0.5, text)])], text),
        Query(text, jpeg, text, [Answer(text, jpeg, 0.5, text, True), Answer(text, None, 0.5, text, None)], [picture]),
        Gallery(text, text, [(text, [picture, Picture(text, None, text)])]),
        PictureMap(text, text, [Spot(1.0, 1.0, text, jpeg), Spot(1.0, 1.0, text, None)]),
    ]
    assert {type(block) for block in blocks} == set(get_args(Block))
    return render_sections(text, [text], [Section(text, blocks, text), Section("", blocks)])


def test_control_characters_are_visible_on_a_page(draw):
    harmless, unsafe = page("plain", draw(1)), page(UNSAFE, draw(1))
    assert not re.search(r"[\x1b\u202e\ud800]", unsafe)
    assert unsafe.count(SHOWN) == harmless.count("plain") > 60
    assert len(unsafe.splitlines()) == len(harmless.splitlines())


def test_text_is_never_markup(draw):
    harmless, evil = Elements(page("plain", draw(1))), Elements(page(EVIL, draw(1)))
    assert [tag for tag, _ in evil.elements] == [tag for tag, _ in harmless.elements]
    assert evil.text.count(EVIL) > 20


def test_a_page_with_every_kind_of_block_loads_nothing(draw):
    assert Elements(page("plain", draw(1))).loaded() == []


def test_a_page_has_the_head_and_the_colours_of_the_base(draw):
    shown = page("plain", draw(1))
    base = page_environment().get_template("base.html.j2").render(title="", facts=[])
    colours = re.findall(r"--\w+: #\w+", base)
    assert len(colours) == 18  # nine of them, light and dark
    assert re.findall(r"--\w+: #\w+", shown) == colours
    assert "prefers-color-scheme: dark" in shown
    assert shown.startswith('<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<meta name="viewport"')


def test_headings_go_down_one_level_at_a_time(draw):
    titled, untitled = (
        re.findall(r"<(h\d)>", render_sections("T", [], [Section(title, [Table(["a"], [["b"]], title="card")])]))
        for title in ("Part", "")
    )
    assert (titled, untitled) == (["h1", "h2", "h3"], ["h1", "h2"])


def test_a_page_of_many_sections_begins_with_links_to_them():
    table = Table(["a"], [["b"]])
    shown = Elements(render_sections("T", [], [Section(name, [table]) for name in ("", "one", "two", "three")]))
    targets = [f"#{part['id']}" for part in shown.named("div") if "id" in part]
    assert [link["href"] for link in shown.named("a")] == targets == ["#part-1", "#part-2", "#part-3"]


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda file: file.name)
def test_only_the_base_template_has_a_head_and_colours(template):
    if template.name != "base.html.j2":
        assert re.findall(r"<(?:!doctype|html|style|h1)\b|#[0-9a-fA-F]{3,6}\b", template.read_text()) == []
