"""A measured number, as a step returns it and the table `metrics` stores it."""

from dataclasses import KW_ONLY, dataclass

ALL = "all"


@dataclass(frozen=True)
class Figure:
    """One measured number of a run; the unit is at the end of its name.

    Attributes:
        subject: what is measured: a compared system, a table, a step; a version comes after its kind, as in
            `index 2024-05-06`, because an index and a model of one run may have the same version.
        slice: the part of the subject.
        n: how many things it was computed over, for example queries or images; None if unknown.
        low: lower end of its 95 % confidence interval; None if unknown.
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
        """The subject and slice, as a page shows them."""
        return ", ".join(name for name in (self.subject, self.slice) if name != ALL) or ALL
