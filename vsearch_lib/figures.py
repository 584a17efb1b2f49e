"""A measured number, as a step returns it and `metrics` keeps it."""

from dataclasses import KW_ONLY, dataclass

ALL = "all"


@dataclass(frozen=True)
class Figure:
    """One measured number of a run; the unit stands at the end of its name.

    Attributes:
        subject: what is measured: a system that is compared, a table, a step; versions come after their kind, as in
            `index 2024-05-06`, because an index and a model of one run may have the same version.
        slice: for which part of it.
        n: how many things it was computed over, queries or images for example; None if that is not known.
        low: lower end of its 95 % confidence interval; None if that is not known.
        high: upper end of the interval.
    """

    metric: str
    value: float
    _: KW_ONLY
    subject: str = ALL
    slice: str = ALL
    n: int | None = None
    low: float | None = None
    high: float | None = None

    @property
    def label(self) -> str:
        """What it is of, as a page says it."""
        return ", ".join(name for name in (self.subject, self.slice) if name != ALL) or ALL
