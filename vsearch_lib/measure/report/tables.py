"""Figures of a topic as tables: systems beside one another, slices worst first, days newest first."""

import re
from collections.abc import Callable, Iterable, Sequence

from vsearch_lib.figures import ALL, Figure
from vsearch_lib.lake.metrics import Recorded
from vsearch_lib.measure.report.figure_text import cell_text, dated, interval_text, value_text, words
from vsearch_lib.measure.report.topics import Topic
from vsearch_lib.report.page import Table

_SHOWN = 12  # rows of a table of slices that are not folded up
_FEW = 24  # rows of a list of facts

Row = tuple[str, str]  # subject and slice


def topic_tables(topic: Topic, recorded: Sequence[Recorded]) -> list[Table]:
    """Return the tables of a topic's figures: metrics with the same rows are columns of one table."""
    metrics = sorted({r.figure.metric for r in recorded}, key=lambda metric: _order(topic, recorded, metric))
    cells = {(r.figure.metric, (r.figure.subject, r.figure.slice)): r.figure for r in recorded}
    tables = []
    for title, belongs in _PARTS:
        rows_of = {
            metric: frozenset(row for name, row in cells if name == metric and belongs(row[1])) for metric in metrics
        }
        groups: dict[frozenset[Row], list[str]] = {}
        for metric, rows in rows_of.items():
            if rows:
                groups.setdefault(rows, []).append(metric)
        alone = [metric for rows, names in groups.items() if len(rows) == 1 for metric in names]
        for rows, names in groups.items():
            if len(rows) > 1:
                tables.append(_matrix(topic, title, _ordered(topic, names[0], rows, cells), names, cells))
        if alone:
            tables.append(
                _facts(
                    title,
                    [figure for (metric, row), figure in cells.items() if metric in alone and belongs(row[1])],
                    metrics,
                )
            )
    return tables


def everything_else(recorded: Sequence[Recorded]) -> Table:
    """Return the figures that no topic has, one a row, with the time when they were recorded."""
    rows = [
        (
            words(r.figure.metric),
            r.figure.label,
            value_text(r.figure.value),
            interval_text(r.figure),
            "" if r.figure.n is None else f"{r.figure.n:,}",
            f"{r.recorded_at:%Y-%m-%d %H:%M}",
        )
        for r in recorded
    ]
    headings = ("figure", "of", "value", "95 % interval", "n", "recorded")
    return Table(headings, rows, words=2, shown=_FEW)


_PARTS: tuple[tuple[str, Callable[[str], bool]], ...] = (
    ("", lambda slice_: slice_ == ALL),
    ("Slices", lambda slice_: slice_ != ALL and dated(slice_) is None),
    ("By time", lambda slice_: dated(slice_) is not None),
)


def _order(topic: Topic, recorded: Iterable[Recorded], metric: str) -> tuple[int, tuple[tuple[str, int], ...]]:
    places = (topic.place(r) for r in recorded if r.figure.metric == metric)
    return min((place for place in places if place is not None), default=len(topic.metrics)), _natural(metric)


def _natural(name: str) -> tuple[tuple[str, int], ...]:
    """Return a key that sorts `recall_at_10` after `recall_at_2`."""
    return tuple((text, int(number or 0)) for text, number in re.findall(r"(\D*)(\d*)", name))


def _ordered(topic: Topic, metric: str, rows: Iterable[Row], cells: dict[tuple[str, Row], Figure]) -> list[Row]:
    """Return rows with the newest day first, slices with the worst value of `metric` first, and others by name."""

    def key(row: Row) -> tuple[float, float, Row]:
        when = dated(row[1])
        if when is not None:
            return -when[1].toordinal(), 0, row
        if row[1] == ALL or topic.better is None:
            return 0, 0, row
        value = cells[metric, row].value
        return 0, value if topic.better == "higher" else -value, row

    return sorted(rows, key=key)


def _matrix(
    topic: Topic, title: str, rows: Sequence[Row], metrics: Sequence[str], cells: dict[tuple[str, Row], Figure]
) -> Table:
    lines: list[tuple[str, ...]] = []
    for subject, slice_ in rows:
        figures = [cells[metric, (subject, slice_)] for metric in metrics]
        counts = {figure.n for figure in figures if figure.n is not None}
        shared = f"{counts.pop():,}" if len(counts) == 1 else ""
        label = Figure("", 0, subject=subject, slice=slice_).label
        lines.append((label, *map(cell_text, figures), shared))
    is_worst_first = title == "Slices" and topic.better is not None
    headings: tuple[str, ...] = ("of", *map(words, metrics), "n")
    if not any(line[-1] for line in lines):
        headings, lines = headings[:-1], [line[:-1] for line in lines]
    note = f"sorted by {words(metrics[0])}" if is_worst_first and len(metrics) > 1 else ""
    return Table(headings, lines, title="Slices, worst first" if is_worst_first else title, note=note, shown=_SHOWN)


def _facts(title: str, figures: Sequence[Figure], metrics: Sequence[str]) -> Table:
    ordered = sorted(figures, key=lambda figure: (metrics.index(figure.metric), figure.label))
    rows = [
        (words(figure.metric), figure.label, cell_text(figure), "" if figure.n is None else f"{figure.n:,}")
        for figure in ordered
    ]
    return Table(("figure", "of", "value", "n"), rows, words=2, title=title, shown=_FEW)
