"""A page as Markdown, for terminals: pictures become the ids of their images."""

import re
from collections.abc import Sequence

from vsearch_lib.report.bars import Bars, Counts
from vsearch_lib.report.charts import Chart
from vsearch_lib.report.page import Block, Query, Section, Table
from vsearch_lib.report.pictures import Gallery, PictureMap
from vsearch_lib.report.scatter import Scatter
from vsearch_lib.report.text import chart_as_text
from vsearch_lib.terminal import printable

_BAR = 30  # characters of a full bar
_MARKUP = re.compile(r"([\\`*\[\]<>|])")


def as_markdown(title: str, facts: Sequence[str], sections: Sequence[Section]) -> str:
    """Return what `page.render_sections` draws of the same arguments, as Markdown."""
    parts = [f"# {_text(title)}", *map(_text, facts)]
    for section in sections:
        if section.blocks or section.note:
            parts += [f"## {_text(section.title)}" if section.title else "", _text(section.note)]
            parts += map(_block, section.blocks)
    return "\n\n".join(part for part in parts if part) + "\n"


def _block(block: Block) -> str:
    match block:
        case Table():
            return _under(block.title, _table(block), block.note)
        case Chart():
            drawn = "\n".join(map(printable, chart_as_text(block).splitlines()[1:]))
            return _under(block.title, f"```\n{drawn}\n```", block.note)
        case Bars():
            return _under(block.title, _bars(block) if block.bars else "nothing yet", block.unit)
        case Counts():
            return "\n".join(f"- {_text(words)}: {_text(number)}" for number, words in block.counts)
        case Query():
            found = [
                f"  {n}. {answer.cosine:.3f} {_text(_marked(answer.right, answer.image_id))}: {_text(answer.caption)}"
                for n, answer in enumerate(block.answers, start=1)
            ]
            return "\n".join([f"- query {_text(block.image_id)}: {_text(block.caption)}", *found])
        case Gallery():
            lines = [
                f"- {_text(line)}{': ' if line else ''}{', '.join(_text(p.image_id) for p in pictures)}"
                for line, pictures in block.groups
            ]
            return _under(block.title, "\n".join(lines) or "none", block.note)
        case PictureMap():
            return _under(block.title, f"{len(block.spots)} images, on the page", block.note)
        case Scatter():
            return _under(block.title, "on the page", block.axes)


def _under(title: str, content: str, note: str) -> str:
    return "\n\n".join(part for part in (f"### {_text(title)}" if title else "", content, _text(note)) if part)


def _table(table: Table) -> str:
    """Return the rows that are shown unfolded, and a line that counts the others."""
    shown = table.rows if table.shown is None else table.rows[: table.shown]
    ruler = ["---" if column < table.words else "---:" for column in range(len(table.headings))]
    lines = [list(map(_text, table.headings)), ruler, *(list(map(_text, row)) for row in shown)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(table.headings))]
    drawn = []
    for number, line in enumerate(lines):
        fill = "-" if number == 1 else " "
        cells = [
            cell.ljust(width, fill) if column < table.words else cell.rjust(width, fill)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        drawn.append(f"| {' | '.join(cells)} |")
    folded = len(table.rows) - len(shown)
    return "\n".join(drawn) + (f"\n\n{folded} more on the page" if folded else "")


def _bars(chart: Bars) -> str:
    widest = max(len(printable(bar.label)) for bar in chart.bars)
    lines = [
        f"{printable(bar.label):>{widest}} {'█' * round(_BAR * bar.value / chart.full)} {printable(bar.text)}"
        for bar in chart.bars
    ]
    return "```\n" + "\n".join(lines) + "\n```"


def _marked(right: bool | None, image_id: str) -> str:
    return image_id if right is None else f"{'✓' if right else '✗'} {image_id}"


def _text(text: str) -> str:
    """Return text from outside so that it is neither markup nor a control character."""
    return _MARKUP.sub(r"\\\1", printable(text))
