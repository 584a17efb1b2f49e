"""One self-contained HTML page: queries, and their answers as pictures, right and wrong marked."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass

from jinja2 import Environment, PackageLoader
from PIL import Image

THUMBNAIL_SIDE = 150  # pixels


@dataclass(frozen=True)
class Table:
    """Figures side by side: a heading a column, then rows of a name and its values, as they are to be read."""

    headings: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Answer:
    """A picture found: `jpeg` is None if it cannot be shown, `right` if nobody knows."""

    image_id: str
    jpeg: bytes | None
    cosine: float
    caption: str
    right: bool | None


@dataclass(frozen=True)
class Query:
    """A picture searched with, and what came back, best first."""

    image_id: str
    jpeg: bytes
    caption: str
    answers: Sequence[Answer]


def render(title: str, subtitle: str, tables: Sequence[Table], queries: Sequence[Query]) -> str:
    """Return the page as HTML; pictures are embedded as small JPEGs, and nothing is loaded from anywhere."""
    environment = Environment(loader=PackageLoader("vsearch_lib.report"), autoescape=True)
    environment.filters["thumbnail"] = thumbnail
    template = environment.get_template("page.html.j2")
    return template.render(title=title, subtitle=subtitle, tables=tables, queries=queries)


def thumbnail(jpeg: bytes) -> str:
    """Return a data URI of the picture, its longer side at most `THUMBNAIL_SIDE`."""
    image = Image.open(io.BytesIO(jpeg))
    image.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE))
    content = io.BytesIO()
    image.convert("RGB").save(content, "JPEG", quality=80)
    return "data:image/jpeg;base64," + base64.b64encode(content.getvalue()).decode()
