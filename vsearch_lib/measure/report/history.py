"""The main figures over runs, or over the days that they are about, as charts."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from fnmatch import fnmatchcase

from vsearch_lib.figures import ALL
from vsearch_lib.lake.metrics import Recorded
from vsearch_lib.measure.report.figure_text import dated
from vsearch_lib.measure.report.topics import Line
from vsearch_lib.report.charts import Chart, Point, fitted

POINTS = 120  # of a chart, the newest ones
_SLICES = 4  # a figure with more slices, other than days, is drawn as a whole only
_SECONDS_PER_DAY = 86_400


def history_charts(lines: Sequence[Line], recorded: Sequence[Recorded]) -> list[Chart]:
    """Return a chart of each line, and of each of its slices if they are few; one point makes no chart.

    `recorded` are the recordings of the lines' metrics, the oldest first. If a figure has a slice for each day, week
    or month, the chart is over these, each as it was recorded last; otherwise it is over runs.
    """
    charts = []
    for line in lines:
        ours = [r for r in recorded if r.figure.metric == line.metric and fnmatchcase(r.kind, line.kind)]
        series: dict[tuple[str, str, str], dict[float, Point]] = {}
        for r in ours:
            when = dated(r.figure.slice)
            key = (r.kind, ALL, when[0]) if when else (r.kind, r.figure.slice, "run")
            point = _point_of_day(r, when[1]) if when else _point_of_run(r)
            series.setdefault(key, {})[point.x] = point
        by_day = {kind for kind, _, unit in series if unit != "run"}
        slices = {(kind, slice_) for kind, slice_, _ in series if slice_ != ALL}
        for (kind, slice_, unit), points in series.items():
            is_one_of_many = slice_ != ALL and sum(k == kind for k, _ in slices) > _SLICES
            is_drawn_by_day = unit == "run" and slice_ == ALL and kind in by_day
            if len(points) > 1 and not is_one_of_many and not is_drawn_by_day:
                charts.append(_chart(line, kind, slice_, unit, points))
    return charts


def _chart(line: Line, kind: str, slice_: str, unit: str, points: dict[float, Point]) -> Chart:
    about = [name for name in (kind if "*" in line.kind else "", slice_) if name not in ("", ALL)]
    ordered = [points[x] for x in sorted(points)][-POINTS:]
    if ordered[-1].x - ordered[0].x >= 2:  # days, of which the times say nothing
        ordered = [replace(point, label=point.label[: len("2026-11-30")]) for point in ordered]
    return fitted(", ".join([line.title, *about]), ordered, f"by {unit}")


def _point_of_day(recorded: Recorded, day: date) -> Point:
    return _point(recorded, day.toordinal(), day.isoformat())


def _point_of_run(recorded: Recorded) -> Point:
    at = recorded.recorded_at
    return _point(recorded, at.timestamp() / _SECONDS_PER_DAY, f"{at:%Y-%m-%d %H:%M}")


def _point(recorded: Recorded, x: float, label: str) -> Point:
    figure = recorded.figure
    low = figure.value if figure.low is None else figure.low
    high = figure.value if figure.high is None else figure.high
    return Point(x, figure.value, low, high, label)
