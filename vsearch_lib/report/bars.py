"""Bar charts, and counts as large numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class Bar:
    """One bar: its label, its length, and its figure as text."""

    label: str
    value: float
    text: str


@dataclass(frozen=True)
class Bars:
    """Bars of one unit: upright if they have an order, such as days; lying if they are names."""

    template: ClassVar[str] = "bars.html.j2"

    title: str
    unit: str
    bars: Sequence[Bar]
    upright: bool = False
    top: float = 0.0  # the value of a full bar; 0: that of the longest bar

    @property
    def full(self) -> float:
        """The value of a full bar."""
        return self.top or max((bar.value for bar in self.bars), default=0) or 1

    @property
    def summary(self) -> str:
        """The chart in a sentence, for those who do not see it."""
        return f"{self.title}, {self.unit}: " + "; ".join(f"{bar.label} {bar.text}" for bar in self.bars)


@dataclass(frozen=True)
class Counts:
    """Large numbers with a few words each: (number, words)."""

    template: ClassVar[str] = "counts.html.j2"

    counts: Sequence[tuple[str, str]]
