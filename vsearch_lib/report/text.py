"""Tables and charts for a terminal."""

from collections.abc import Sequence

from vsearch_lib.report.charts import Chart
from vsearch_lib.report.page import Table

_LINES, _COLUMNS = 6, 60  # of a chart, without its axes
_WIDEST = 3  # columns of a point
_BLOCKS = " ▁▂▃▄▅▆▇█"


def as_text(table: Table) -> str:
    """Return the table in columns, its title above and its note below if it has them."""
    lines = [table.headings, *table.rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(table.headings))]

    def aligned(line: Sequence[str]) -> str:
        words = [cell.ljust(width) for cell, width in zip(line[: table.words], widths, strict=False)]
        numbers = [cell.rjust(width) for cell, width in zip(line, widths, strict=True)][table.words :]
        return "  ".join([*words, *numbers]).rstrip()

    return "\n".join(line for line in (table.title, *map(aligned, lines), table.note) if line)


def chart_as_text(chart: Chart) -> str:
    """Return the curve as columns of blocks between its lowest and its highest value, which stand beside them.

    If there are more points than fit, evenly spaced ones are drawn, the first and the last among them.
    """
    n = min(len(chart.points), _COLUMNS)
    points = [chart.points[round(i * (len(chart.points) - 1) / (n - 1))] for i in range(n)]
    wide = min(_COLUMNS // n, _WIDEST)
    values = [point.value for point in points]
    low, high = min(values), max(values)
    eighths = [1 + round((8 * _LINES - 1) * (value - low) / ((high - low) or 1)) for value in values]
    blocks = [
        "".join(_BLOCKS[min(8, max(0, filled - 8 * line))] * wide for filled in eighths)
        for line in reversed(range(_LINES))
    ]
    labels = [f"{high:.3f}", *[""] * (_LINES - 2), f"{low:.3f}"]
    margin = max(map(len, labels))
    drawn = [f"{label:>{margin}} │{line}".rstrip() for label, line in zip(labels, blocks, strict=True)]
    first, last = points[0].x_text, points[-1].x_text
    axis = f"{'':{margin}}  {first}{last:>{max(wide * n - len(first), len(last) + 1)}}  {chart.x_label}"
    return "\n".join([chart.title, *drawn, axis])
