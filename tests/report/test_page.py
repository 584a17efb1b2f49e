"""The page shows its content as text, loads nothing, and runs nothing."""

from __future__ import annotations

import numpy as np
import pytest
import simplejpeg

from tests.support.elements import Elements
from vsearch_lib.report.page import Answer, Query, Table, render

EVIL = "\"><script>alert('x')</script><img src=http://evil.example/x.png onerror=alert(1)>"


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


def test_the_page_loads_nothing_and_has_each_picture_inside():
    parsed = Elements(page())
    assert parsed.loaded() == []
    assert len(parsed.named("img")) == 4


def test_rows_beyond_those_shown_are_folded_up_and_still_there():
    table = Table(["n"], [[str(n)] for n in range(5)], shown=2)
    shown = Elements(render("T", "S", [table], []))
    assert shown.rows == [["n"], ["0"], ["1"], ["n"], ["2"], ["3"], ["4"]]
    assert "3 more" in shown.text
    assert len(shown.named("details")) == 1


def test_the_page_shows_figures_under_their_headings():
    table = Table(["", "mAP", "MRR"], [["raw pixels", "0.1", "0.2"], ["model", "0.8", "0.9"]])
    assert Elements(render("T", "S", [table], [])).rows == [
        ["", "mAP", "MRR"],
        ["raw pixels", "0.1", "0.2"],
        ["model", "0.8", "0.9"],
    ]
