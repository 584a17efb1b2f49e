"""All pages share a head, colours, and the treatment of text from outside."""

from __future__ import annotations

import re

import pytest

from vsearch_lib.config import PROJECT
from vsearch_lib.figures import Figure
from vsearch_lib.measure.profile.page import render as profile
from vsearch_lib.report.environment import page_environment
from vsearch_lib.report.page import Query, Table
from vsearch_lib.report.page import render as report
from vsearch_lib.tuning.page import render as tuning
from vsearch_lib.tuning.plots import Dot, Plot, Series

TEMPLATES = sorted((PROJECT / "vsearch_lib").rglob("*.j2"))
UNSAFE = "a\x1b[31m\u202eb\nc\ud800 é"
SHOWN = r"a\x1b[31m\u202eb\nc\ud800 é"


def pages(text: str, jpeg: bytes) -> dict[str, str]:
    """Return every page, with `text` wherever a page shows text from outside."""
    table = Table([text], [[text]], title=text, note=text)
    plot = Plot(text, [Series(text, [Dot(1.0, 0.5, text)])])
    return {
        "report": report(text, text, [table], [Query(text, jpeg, text, [])]),
        "profile": profile(text, [Figure("tag_share", 0.5, slice=text), Figure("images_uploaded", 3, slice=text)]),
        "tuning": tuning(text, [text], [table], [plot]),
    }


@pytest.mark.parametrize("page", ["report", "profile", "tuning"])
def test_control_characters_are_visible_on_every_page(page, draw):
    harmless, unsafe = (pages(text, draw(1))[page] for text in ("plain", UNSAFE))
    assert not re.search(r"[\x1b\u202e\ud800]", unsafe)
    assert unsafe.count(SHOWN) == harmless.count("plain") > 3
    assert len(unsafe.splitlines()) == len(harmless.splitlines())


@pytest.mark.parametrize("page", ["report", "profile", "tuning"])
def test_every_page_has_the_head_and_the_colours_of_the_base(page, draw):
    shown = pages("plain", draw(1))[page]
    base = page_environment("vsearch_lib.report").get_template("base.html.j2").render(title="", facts=[])
    colours = re.findall(r"--\w+: #\w+", base)
    assert len(colours) == 18  # nine of them, light and dark
    assert re.findall(r"--\w+: #\w+", shown) == colours
    assert "prefers-color-scheme: dark" in shown
    assert shown.startswith('<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<meta name="viewport"')


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda file: file.name)
def test_only_the_base_template_has_a_head_and_colours(template):
    if template.name != "base.html.j2":
        assert re.findall(r"<(?:!doctype|html|style|h1)\b|#[0-9a-fA-F]{3,6}\b", template.read_text()) == []
