"""A measured number, as a step returns it and `metrics` keeps it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One measured number of a run; the unit stands at the end of its name."""

    metric: str
    value: float
    slice: str = "all"
