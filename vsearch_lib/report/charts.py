"""Charts as SVG: a curve with its interval, over numbers or days."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

WIDTH, HEIGHT = 340, 150  # of the curve, without the labels around it; templates/chart.html.j2 draws the same frame
_CHARACTER = 7  # px, the width of a character of a label, rounded up
_GAP = 10  # px between two labels
_STEPS = (1, 2, 2.5, 5, 10)
_INTERVALS = 4  # of the vertical axis, about
_LEAST_SPAN = 1e-6  # of a frame, as a share of its values: smaller differences are those of rounding


@dataclass(frozen=True)
class Point:
    """A value at `x`, and its 95 % interval; without an interval, `low` and `high` are the value.

    `label` is what the axis says of `x`, such as a day; if it is empty, the number itself.
    """

    x: float
    value: float
    low: float
    high: float
    label: str = ""

    @property
    def x_text(self) -> str:
        """What the axis says of `x`."""
        return self.label or f"{self.x:g}"

    @property
    def text(self) -> str:
        """The value with its interval and place, as a sentence."""
        interval = "" if self.low == self.high else f" ({self.low:.4g} to {self.high:.4g})"
        return f"{self.x_text}: {self.value:.4g}{interval}"


@dataclass(frozen=True)
class Label:
    """A label of the horizontal axis: its place, px from the left, and the end that is there."""

    x: float
    text: str
    anchor: Literal["start", "middle", "end"]


@dataclass(frozen=True)
class Chart:
    """A curve through points with ascending `x`, and its interval as a band. There are at least two points.

    `bottom` and `top` are the values at the edges of the frame.
    """

    template: ClassVar[str] = "chart.html.j2"

    title: str
    points: Sequence[Point]
    x_label: str
    note: str = ""
    top: float = 1
    bottom: float = 0

    @property
    def line(self) -> str:
        """The curve, as the points of an SVG polyline."""
        return " ".join(self._place(point.x, point.value) for point in self.points)

    @property
    def band(self) -> str:
        """The interval, as the points of an SVG polygon."""
        there = [self._place(point.x, point.high) for point in self.points]
        back = [self._place(point.x, point.low) for point in reversed(self.points)]
        return " ".join(there + back)

    @property
    def dots(self) -> list[tuple[str, str, str]]:
        """The place of each point, px from the left and from the top, and what it says."""
        places = [self._place(point.x, point.value).partition(",") for point in self.points]
        return [(x, y, point.text) for (x, _, y), point in zip(places, self.points, strict=True)]

    @property
    def heights(self) -> list[tuple[str, str]]:
        """The place of each label of the vertical axis, px from the top, and its text."""
        step = round_step((self.top - self.bottom) / _INTERVALS)
        values = [round(self.bottom + i * step, 12) for i in range(math.floor((self.top - self.bottom) / step + 1.001))]
        return [(f"{self._down(value):.1f}", _short(value)) for value in values]

    @property
    def labels(self) -> list[Label]:
        """The labels of the horizontal axis: of the first and last point, and of others where there is room."""
        first, last = self.points[0], self.points[-1]
        placed = [Label(0, first.x_text, "start")]
        free, end = _wide(first.x_text), WIDTH - _wide(last.x_text)
        for point in self.points[1:-1]:
            x, half = self._right(point.x), _wide(point.x_text) / 2
            if x - half >= free + _GAP and x + half <= end - _GAP:
                placed.append(Label(round(x, 1), point.x_text, "middle"))
                free = x + half
        return [*placed, Label(WIDTH, last.x_text, "end")]

    @property
    def summary(self) -> str:
        """The chart in a sentence, for those who do not see it."""
        lowest, highest = (end(point.value for point in self.points) for end in (min, max))
        ends = f"from {self.points[0].text} to {self.points[-1].text}"
        return f"{self.title}, {len(self.points)} points: {ends}; lowest {lowest:.4g}, highest {highest:.4g}"

    def _place(self, x: float, value: float) -> str:
        return f"{self._right(x):.1f},{self._down(value):.1f}"

    def _right(self, x: float) -> float:
        first, last = self.points[0].x, self.points[-1].x
        return WIDTH * (x - first) / (last - first)

    def _down(self, value: float) -> float:
        return HEIGHT * (self.top - value) / (self.top - self.bottom)


def fitted(title: str, points: Sequence[Point], x_label: str, note: str = "") -> Chart:
    """Return a chart whose frame has round edges just beyond its points and their intervals."""
    low, high = min(point.low for point in points), max(point.high for point in points)
    size = max(abs(low), abs(high))
    if high - low <= max(_LEAST_SPAN * size, _LEAST_SPAN**2):
        low, high = (low - size / 20, high + size / 20) if size > _LEAST_SPAN else (0.0, 1.0)
    step = round_step((high - low) / _INTERVALS)
    bottom, top = math.floor(low / step) * step, math.ceil(high / step) * step
    return Chart(title, points, x_label, note, top=round(top, 12), bottom=round(bottom, 12))


def round_step(least: float) -> float:
    """Return the smallest of 1, 2, 2.5, 5 times a power of ten that is not below `least`, a positive number."""
    power = 10.0 ** math.floor(math.log10(least))
    return next((step * power for step in _STEPS if step * power >= least * (1 - 1e-9)), 10 * power)


def _short(value: float) -> str:
    """Return a number in few characters: the labels of an axis are beside the frame."""
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if abs(value) >= 10 * size or (abs(value) >= size and size > 1e3):
            return f"{value / size:.10g}{unit}"
    return f"{value:,.10g}"


def _wide(text: str) -> float:
    return _CHARACTER * len(text)
