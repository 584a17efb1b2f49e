"""Markdown has the text of every block, and text from outside is not markup."""

from __future__ import annotations

from vsearch_lib.report.bars import Bar, Bars, Counts
from vsearch_lib.report.charts import Chart, Point
from vsearch_lib.report.markdown import as_markdown
from vsearch_lib.report.page import Answer, Query, Section, Table
from vsearch_lib.report.pictures import Gallery, Picture, PictureMap, Spot
from vsearch_lib.report.scatter import Dot, Scatter, Series


def of(*blocks) -> str:
    return as_markdown("Title", ["a fact"], [Section("Part", blocks, "its note")])


def test_a_page_has_a_title_facts_and_sections_of_which_empty_ones_are_left_out():
    text = as_markdown("Title", ["a fact"], [Section("Empty", []), Section("Part", [], "its note")])
    assert text == "# Title\n\na fact\n\n## Part\n\nits note\n"


def test_a_table_has_words_to_the_left_and_numbers_to_the_right():
    text = of(Table(["name", "ms"], [["a", "1.5"], ["longer", "10.25"]], title="Times", note="a note"))
    assert text.endswith(
        "### Times\n\n| name   |    ms |\n| ------ | ----: |\n| a      |   1.5 |\n| longer | 10.25 |\n\na note\n"
    )


def test_folded_rows_are_counted():
    text = of(Table(["name"], [[str(n)] for n in range(5)], shown=2))
    assert "| 1    |" in text
    assert "| 2    |" not in text
    assert "3 more on the page" in text


def test_every_other_block_is_text():
    point = Point(0, 1.0, 1.0, 1.0, "day 1")
    text = of(
        Counts([("2,000", "images")]),
        Bars("Tags", "share", [Bar("mug", 1.0, "100%"), Bar("cup", 0.5, "50%")]),
        Chart("Loss", [point, Point(1, 2.0, 2.0, 2.0, "day 2")], "by day"),
        Scatter("Plot", [Series("s", [Dot(1, 1, "")])], "its axes"),
        Query("q", None, "a query", [Answer("x", None, 0.5, "right one", True), Answer("y", None, 0.25, "?", None)]),
        Gallery("Twins", "alike", [("group 1", [Picture("a", None, ""), Picture("b", None, "")])]),
        PictureMap("Map", "a plane", [Spot(0, 0, "a", None)]),
    )
    for line in (
        "- images: 2,000",
        f"mug {'█' * 30} 100%",
        f"cup {'█' * 15} 50%",
        "### Loss",
        "its axes",
        "- query q: a query",
        "  1. 0.500 ✓ x: right one",
        "  2. 0.250 y: ?",
        "- group 1: a, b",
        "1 images, on the page",
    ):
        assert line in text.splitlines(), line
    assert "by day" in text


def test_text_from_outside_is_neither_markup_nor_control():
    text = of(Table(["<b>", "x"], [["a|b\n# no", "`[x](y)`"]], title="*t*", note="\x1b[31m"))
    assert r"\<b\>" in text
    assert r"a\|b\\n# no" in text
    assert r"\`\[x\](y)\`" in text
    assert r"### \*t\*" in text
    assert r"\\x1b\[31m" in text
