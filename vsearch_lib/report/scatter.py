"""Dots in a plane with a logarithmic and a linear axis, in series of one colour each."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

WIDTH, HEIGHT = 400, 280  # of a plot, px
_LEFT, _RIGHT, _TOP, _BOTTOM = 36, 16, 12, 40  # margins, px
_ROUND = [float(f"{digit}e{power}") for power in range(-5, 6) for digit in (1, 2, 5)]
_MOST_LABELS = 8  # of the horizontal axis; beyond, only powers of ten are labelled
# Colours that are different to people who cannot see red or green (Okabe and Ito).
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "currentColor", "#8a8a8a")


@dataclass(frozen=True)
class Dot:
    """One measurement, `x` above 0, `y` at most 1; `label` says what it is."""

    x: float
    y: float
    label: str
    hollow: bool = False


@dataclass(frozen=True)
class Series:
    """Dots of one kind; a line joins those of `line`."""

    name: str
    dots: Sequence[Dot]
    line: Sequence[Dot] = ()


@dataclass(frozen=True)
class Scatter:
    """Dots, `x` to the right (logarithmic), `y` upwards to 1."""

    template: ClassVar[str] = "scatter.html.j2"

    title: str
    series: Sequence[Series]
    axes: str  # what they mean, in words

    def x(self, value: float) -> float:
        """Return the place of a value of the horizontal axis, px from the left."""
        low, high = (math.log10(edge) for edge in self._edges())
        return _LEFT + (WIDTH - _LEFT - _RIGHT) * (math.log10(value) - low) / (high - low)

    def y(self, value: float) -> float:
        """Return the place of a value of the vertical axis, px from the top."""
        return HEIGHT - _BOTTOM - (HEIGHT - _TOP - _BOTTOM) * (value - self._floor()) / (1 - self._floor())

    @property
    def across(self) -> list[float]:
        """The labels of the horizontal axis: 1, 2 and 5 times each power of ten, or the powers if these are many."""
        low, high = self._edges()
        values = [value for value in _ROUND if low <= value <= high]
        if len(values) <= _MOST_LABELS:
            return values
        return [value for value in values if math.log10(value).is_integer()]

    @property
    def up(self) -> list[float]:
        """The labels of the vertical axis."""
        return [tenth / 10 for tenth in range(round(10 * self._floor()), 11)]

    def colour(self, series: int) -> str:
        """Return the colour of a series, by its number."""
        return COLOURS[series % len(COLOURS)]

    @property
    def edges(self) -> tuple[float, float]:
        """The places of the ends of the horizontal axis, px from the left."""
        low, high = self._edges()
        return self.x(low), self.x(high)

    def _edges(self) -> tuple[float, float]:
        measured = [dot.x for series in self.series for dot in series.dots]
        low = max((value for value in _ROUND if value <= min(measured)), default=_ROUND[0])
        return low, min((value for value in _ROUND if value > max(measured)), default=_ROUND[-1])

    def _floor(self) -> float:
        lowest = min(dot.y for series in self.series for dot in series.dots)
        return min(math.floor(10 * lowest), 9) / 10
