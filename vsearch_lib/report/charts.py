"""Charts as SVG: a curve with its interval."""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 480, 180  # of the curve, without the labels around it; templates/chart.html.j2 draws the same frame


@dataclass(frozen=True)
class Point:
    """A value at `x`, not negative, and its 95 % interval; without an interval, `low` and `high` are the value."""

    x: float
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Chart:
    """A curve through points with ascending `x`, and its interval as a band. There are at least two points.

    `top` is the value at the upper edge of the frame; 0 is at the lower one.
    """

    title: str
    points: Sequence[Point]
    x_label: str
    note: str = ""
    top: float = 1

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

    def _place(self, x: float, value: float) -> str:
        first, last = self.points[0].x, self.points[-1].x
        return f"{WIDTH * (x - first) / (last - first):.1f},{HEIGHT * (1 - value / self.top):.1f}"
