"""Self-contained HTML pages: sections of tables, charts and pictures, which load nothing from anywhere."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import ClassVar

from vsearch_lib.report.bars import Bars, Counts
from vsearch_lib.report.charts import Chart
from vsearch_lib.report.environment import page_environment
from vsearch_lib.report.pictures import Gallery, Picture, PictureMap, map_thumbnail, thumbnail
from vsearch_lib.report.scatter import Scatter


@dataclass(frozen=True)
class Table:
    """Cells as they are shown; the first `words` columns are text, the others numbers. `note` explains the headings.

    Rows after the first `shown` are folded up; None shows all.
    """

    template: ClassVar[str] = "table.html.j2"

    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    words: int = 1
    title: str = ""
    note: str = ""
    shown: int | None = None


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
    """A picture that was searched with, and its answers, best first; `jpeg` is None if it cannot be shown.

    `looks` are further pictures beside the query, such as maps of what the model looks at.
    """

    template: ClassVar[str] = "query.html.j2"

    image_id: str
    jpeg: bytes | None
    caption: str
    answers: Sequence[Answer]
    looks: Sequence[Picture] = ()


Block = Table | Chart | Bars | Counts | Scatter | Query | Gallery | PictureMap


@dataclass(frozen=True)
class Section:
    """A part of a page: a heading and a note, which may be empty, and blocks below them."""

    title: str
    blocks: Sequence[Block]
    note: str = ""

    @property
    def runs(self) -> list[tuple[bool, list[Block]]]:
        """The blocks in their order, bar charts apart from others: as their heights differ, they are put in columns."""
        return [(packed, list(run)) for packed, run in groupby(self.blocks, lambda block: isinstance(block, Bars))]


def render(
    title: str, subtitle: str, tables: Sequence[Table], queries: Sequence[Query], charts: Sequence[Chart] = ()
) -> str:
    """Return a page of tables and charts, and below them queries with their answers."""
    return render_sections(title, [subtitle], [Section("", [*tables, *charts, *queries])])


def render_sections(title: str, facts: Sequence[str], sections: Sequence[Section]) -> str:
    """Return a page as HTML; `facts` are sentences below its title. It contains its pictures as small JPEGs."""
    environment = page_environment()
    environment.filters |= {"thumbnail": thumbnail, "map_thumbnail": map_thumbnail}
    template = environment.get_template("page.html.j2")
    return template.render(title=title, facts=facts, sections=[s for s in sections if s.blocks or s.note])
