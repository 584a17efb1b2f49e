"""The page shows tables and dots, shows text as text, and loads nothing."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from vsearch_lib.report.page import Table
from vsearch_lib.tuning.page import render
from vsearch_lib.tuning.plots import Dot, Plot, Series

EVIL = "<script>alert(1)</script>\"'&"


class Elements(HTMLParser):
    """The elements of a page with their attributes, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data):
        if data.strip():
            self.text.append(data.strip())

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def page(text: str = "plain") -> str:
    dots = [Dot(0.1, 0.5, text, hollow=True), Dot(1.0, 0.9, "second"), Dot(2.0, 0.8, "beaten")]
    plots = [Plot(text, [Series(text, dots), Series("other", [Dot(5.0, 1.0, "exact")])])]
    return render(text, [text], [Table(["name", "ms"], [[text, "1.5"]], title=text, note=text)], plots)


def test_each_measurement_is_a_dot_at_the_position_in_the_plot():
    circles = Elements(page()).named("circle")
    plot = Plot("", [Series("", [Dot(0.1, 0.5, ""), Dot(5.0, 1.0, "")])])
    assert [float(circle["cx"]) for circle in circles] == [pytest.approx(plot.x(ms), abs=0.1) for ms in (0.1, 1, 2, 5)]
    assert [float(circle["cy"]) for circle in circles] == [
        pytest.approx(plot.y(r), abs=0.1) for r in (0.5, 0.9, 0.8, 1)
    ]
    assert [circle["fill"] == "var(--card)" for circle in circles] == [True, False, False, False]


def test_lines_leave_out_beaten_dots_and_each_series_has_its_own_colour():
    shown = Elements(page())
    assert [len((line["points"] or "").split()) for line in shown.named("polyline")] == [2, 1]
    colours = [group["stroke"] for group in shown.named("g")]
    assert len(set(colours)) == 2
    assert [item["style"] for item in shown.named("i")] == [f"background: {colour}" for colour in colours]


def test_the_page_shows_the_cells_of_its_tables():
    text = Elements(page()).text
    start = text.index("name")
    assert text[start : start + 5] == ["name", "ms", "plain", "1.5", "plain"]


def test_names_are_shown_as_text_and_never_as_markup():
    assert [tag for tag, _ in Elements(page(EVIL)).elements] == [tag for tag, _ in Elements(page()).elements]
    assert EVIL in Elements(page(EVIL)).text


def test_the_page_loads_nothing():
    shown = page()
    tags = {tag for tag, _ in Elements(shown).elements}
    assert not tags & {"script", "link", "iframe", "object", "embed", "base", "img", "image", "use"}
    assert "http" not in shown
    assert "url(" not in shown
    assert "@import" not in shown
