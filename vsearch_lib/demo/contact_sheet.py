"""One picture that shows what relevance means here: queries, and the most relevant other pictures for each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont, ImageOps

from vsearch_lib.demo.factors import TOP_GRADE, grade_matrix
from vsearch_lib.demo.uploads import Uploads

ROWS, OTHERS = 8, 9
_CELL, _GAP, _MARGIN = 128, 6, 22
_PAPER = (243, 241, 237)


def _queries(uploads: Uploads) -> list[int]:
    """One query for each of up to ROWS shapes, which has some pictures of its own design and some similar ones."""
    chosen: list[int] = []
    originals = np.flatnonzero(uploads.copy_of < 0)
    same = (grade_matrix(uploads.codes[originals], uploads.codes) == TOP_GRADE).sum(axis=1)
    # Four others of the same design leave five cells of the row for lower grades.
    for candidate in originals[np.argsort(np.abs(same - 5), kind="stable")]:
        if uploads.codes[candidate, 0] not in uploads.codes[chosen, 0]:
            chosen.append(int(candidate))
    return chosen[:ROWS]


def _best(uploads: Uploads, query: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int8]]:
    grades = grade_matrix(uploads.codes[query : query + 1], uploads.codes)[0]
    grades[query] = -1
    grades[uploads.copy_of >= 0] = -1  # a copy shows nothing new
    best = np.argsort(-grades, kind="stable")[:OTHERS]
    return best, grades[best]


def contact_sheet(uploads: Uploads, picture_of: Callable[[int], Path]) -> Image.Image:
    """Draw up to ROWS rows of a query and its OTHERS highest-graded other pictures, each labelled with its grade."""
    width = 2 * _MARGIN + (OTHERS + 1) * (_CELL + _GAP) + _GAP
    sheet = Image.new("RGB", (width, 2 * _MARGIN + ROWS * (_CELL + _GAP)), _PAPER)
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(12)

    def show(index: int, left: int, top: int, label: str) -> None:
        with Image.open(picture_of(index)) as picture:
            sheet.paste(ImageOps.pad(picture, (_CELL, _CELL), color=_PAPER), (left, top))
        box = draw.textbbox((left + 6, top + 4), label, font=font)
        draw.rounded_rectangle((box[0] - 4, box[1] - 2, box[2] + 4, box[3] + 3), radius=4, fill=_PAPER)
        draw.text((left + 6, top + 4), label, font=font, fill=(40, 40, 40))

    for row, query in enumerate(_queries(uploads)):
        top = _MARGIN + row * (_CELL + _GAP)
        show(query, _MARGIN, top, "query")
        for column, (index, grade) in enumerate(zip(*_best(uploads, query), strict=True), start=1):
            show(int(index), _MARGIN + column * (_CELL + _GAP) + _GAP, top, str(grade))
    return sheet
