"""The page shows its content as text, loads nothing, and runs nothing."""

from __future__ import annotations

import base64
import io
from html.parser import HTMLParser

import numpy as np
import pytest
import simplejpeg
from PIL import Image

from vsearch_lib.report.page import THUMBNAIL_SIDE, Answer, Query, Table, render, thumbnail

EVIL = "\"><script>alert('x')</script><img src=http://evil.example/x.png onerror=alert(1)>"


class Elements(HTMLParser):
    """All elements of a page with their attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def jpeg(width: int = 40, height: int = 30) -> bytes:
    return bytes(simplejpeg.encode_jpeg(np.full((height, width, 3), 99, dtype=np.uint8), colorspace="RGB"))


def page(image_id: str = "image-1", caption: str = "shirt") -> str:
    answers = [
        Answer("right-one", jpeg(), 0.91, caption, True),
        Answer("wrong-one", jpeg(), 0.5, caption, False),
        Answer(image_id, jpeg(), 0.25, caption, None),
    ]
    return render(
        f"Title {image_id}",
        caption,
        [Table(["figure", caption], [[caption, "0.95"]])],
        [Query(image_id, jpeg(), caption, answers)],
    )


def test_right_and_wrong_answers_are_marked_and_unknown_ones_are_not():
    shown = page()
    assert [item.get("class") for item in Elements(shown).named("li")] == ["right", "wrong", ""]
    assert "✓ 0.910" in shown
    assert "✗ 0.500" in shown
    assert shown.count("✓") == shown.count("✗") == 1


@pytest.mark.parametrize("text", [EVIL, "a & b < c", "'\"`"])
def test_ids_and_captions_are_shown_as_text_and_never_as_markup(text):
    plain, shown = Elements(page()), Elements(page(text, text))
    assert [tag for tag, _ in shown.elements] == [tag for tag, _ in plain.elements]
    assert shown.named("img")[-1]["title"] == text
    assert all(not name.startswith("on") for _, attributes in shown.elements for name in attributes)


def test_the_page_loads_nothing():
    shown = page()
    parsed = Elements(shown)
    assert "http" not in shown
    assert not {"script", "link", "iframe", "object", "embed", "base"} & {tag for tag, _ in parsed.elements}
    sources = [attributes[name] for _, attributes in parsed.elements for name in ("src", "href") if name in attributes]
    assert len(sources) == 4
    assert all(source.startswith("data:image/jpeg;base64,") for source in sources)
    assert "url(" not in shown
    assert "@import" not in shown


def test_the_page_shows_figures_under_their_headings():
    table = Table(["", "mAP", "MRR"], [["raw pixels", "0.1", "0.2"], ["model", "0.8", "0.9"]])
    shown = "".join(render("T", "S", [table], []).split())
    assert "<tr><thclass=word></th><th>mAP</th><th>MRR</th></tr>" in shown
    rows = [("rawpixels", "0.1", "0.2"), ("model", "0.8", "0.9")]
    assert "".join(f"<tr><tdclass=word>{a}</td><td>{b}</td><td>{c}</td></tr>" for a, b, c in rows) in shown


@pytest.mark.parametrize(
    ("width", "height", "size"), [(600, 300, (150, 75)), (300, 600, (75, 150)), (40, 30, (40, 30))]
)
def test_a_thumbnail_is_a_smaller_copy_of_the_picture(width, height, size):
    head, _, content = thumbnail(jpeg(width, height)).partition(",")
    assert head == "data:image/jpeg;base64"
    small = Image.open(io.BytesIO(base64.b64decode(content)))
    assert (small.format, small.size) == ("JPEG", size)
    assert max(size) <= THUMBNAIL_SIDE
    assert np.abs(np.asarray(small, dtype=int) - 99).max() <= 2
