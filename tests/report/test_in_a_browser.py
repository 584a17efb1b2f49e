"""A page in a browser, wide and narrow: no picture is missing, nothing is fetched, nothing sticks out or overlaps."""

from __future__ import annotations

import numpy as np
import pytest
import simplejpeg

from vsearch_lib.report.bars import Bar, Bars, Counts
from vsearch_lib.report.charts import Point, fitted
from vsearch_lib.report.page import Answer, Query, Section, Table, render_sections
from vsearch_lib.report.pictures import Gallery, Picture, PictureMap, spots_of
from vsearch_lib.report.scatter import Dot, Scatter, Series

# Pairs of labels of one chart that overlap, by more than the rounding of a pixel.
OVERLAPPING = """() => [...document.querySelectorAll('svg')].flatMap(svg => {
  const boxes = [...svg.querySelectorAll(':scope text')].map(text => [text.textContent, text.getBoundingClientRect()]);
  return boxes.flatMap(([one, a], n) => boxes.slice(n + 1)
    .filter(([, b]) => a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 4 && b.top < a.bottom - 4)
    .map(([other]) => [one, other]));
})"""
STICKING_OUT = """() => [...document.querySelectorAll('svg text')].filter(text => {
  const box = text.getBoundingClientRect(), card = text.closest('section').getBoundingClientRect();
  return box.left < card.left || box.right > card.right + 1;
}).map(text => text.textContent)"""
MISSING = "() => [...document.images].filter(image => !image.naturalWidth).length"


def page() -> str:
    jpeg = bytes(simplejpeg.encode_jpeg(np.full((60, 90, 3), 140, dtype=np.uint8), colorspace="RGB"))
    days = [Point(n, 0.9 + n / 999, 0.88, 0.96, f"2026-11-{n:02d}") for n in range(1, 31)]
    pictures = [Picture(f"img-{n:06d}", jpeg, "sharpness 3.4") for n in range(30)]
    answers = [Answer(f"img-{n:06d}", jpeg, 0.9 - n / 20, f"score {n % 6}", n % 2 == 0) for n in range(10)]
    measured = [Dot(0.003 * 3**n, 0.5 + n / 20, f"{n}") for n in range(10)]
    wide = Table(
        ["of", *(f"figure number {n}" for n in range(9))], [["published index, tag mug", *["0.977"] * 9]] * 30, shown=9
    )
    blocks = [
        Counts([("0.977", "nDCG@10 of the published index"), ("2,000", "images")]),
        fitted("nDCG@10", days, "by run"),
        fitted("Rows", [Point(n, 1e6 + n, 1e6, 2e6, f"2026-11-{n:02d} 04:05") for n in (1, 2)], "by run"),
        Bars("Uploads", "images a day", [Bar(f"2026-11-{n:02d}", n, f"{n:,}") for n in range(1, 31)], True),
        Bars(
            "Clicks",
            "queries",
            [Bar(name, 1000 * n, f"{1000 * n:,}") for n, name in enumerate(["0", "1", "5 and more"])],
            True,
        ),
        Bars(
            "Tags",
            "share",
            [Bar("a tag with a name that is long beyond reason", 0.5, "50.0%"), Bar("mug", 1, "100.0%")],
        ),
        Scatter("Families", [Series("flat", measured, measured)], "median ms, recall@10"),
        wide,
        Query("img-000000", jpeg, "img-000000, nDCG@10 0.512", answers, pictures[:2]),
        Gallery("Twins", "a note", [("3 images", pictures[:3])]),
        PictureMap("", "a plane", spots_of(pictures, [(n % 7, n % 5) for n in range(30)])),
    ]
    return render_sections("How good the search is", ["version 20261201T011831Z-bc47f42e"], [Section("All", blocks)])


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_a_page_is_whole_and_readable(browser, tmp_path, width, scheme):
    file = tmp_path / "page.html"
    file.write_text(page(), encoding="utf-8")
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, offline=True)
    tab, fetched = context.new_page(), []
    tab.on("request", lambda request: fetched.append(request.url))
    tab.goto(file.as_uri())
    assert [url for url in fetched if not url.startswith("data:")] == [file.as_uri()]
    assert tab.evaluate(MISSING) == 0
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    assert tab.evaluate(OVERLAPPING) == []
    assert tab.evaluate(STICKING_OUT) == []
    smallest = tab.evaluate(
        "Math.min(...[...document.querySelectorAll('svg text')].map(t => t.getBoundingClientRect().height))"
    )
    assert smallest > 10  # px of a line, letters of some 8
    context.close()
