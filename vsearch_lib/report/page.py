"""One self-contained HTML page: queries, and their answers as pictures, marked as right or wrong."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image

from vsearch_lib.report.charts import Chart
from vsearch_lib.report.environment import page_environment

THUMBNAIL_SIDE = 150  # pixels


@dataclass(frozen=True)
class Table:
    """Cells as they are shown; the first `words` columns are text, the others numbers. `note` explains the headings."""

    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    words: int = 1
    title: str = ""
    note: str = ""


@dataclass(frozen=True)
class Answer:
    """A found picture: `jpeg` is None if it cannot be shown, `right` is None if it is not known."""

    image_id: str
    jpeg: bytes | None
    cosine: float
    caption: str
    right: bool | None


@dataclass(frozen=True)
class Query:
    """A picture that was searched with, and its answers, best first; `jpeg` is None if it cannot be shown."""

    image_id: str
    jpeg: bytes | None
    caption: str
    answers: Sequence[Answer]


def render(
    title: str, subtitle: str, tables: Sequence[Table], queries: Sequence[Query], charts: Sequence[Chart] = ()
) -> str:
    """Return the page as HTML; it contains its pictures as small JPEGs and loads nothing."""
    environment = page_environment("vsearch_lib.report")
    environment.filters["thumbnail"] = thumbnail
    template = environment.get_template("page.html.j2")
    return template.render(title=title, facts=[subtitle], tables=tables, queries=queries, charts=charts)


def thumbnail(jpeg: bytes) -> str:
    """Return a data URI of the picture, its longer side at most `THUMBNAIL_SIDE`."""
    image = Image.open(io.BytesIO(jpeg))
    image.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE))
    content = io.BytesIO()
    image.convert("RGB").save(content, "JPEG", quality=80)
    return "data:image/jpeg;base64," + base64.b64encode(content.getvalue()).decode()
