"""A figure by slice of the queries: the worst slices first, and how far each group is from all other queries.

The statistics need only the number, the sum and the sum of squares of each slice, which Spark can add up too.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

from scipy.stats import t as student  # type: ignore[import-untyped]

from vsearch_lib.figures import Figure

SEPARATOR = ": "  # between the attribute and its value, as in "country: DE"
# Attributes of which each query has one value, so that its groups can be compared with all other queries.
FAIRNESS = ("country", "age band", "gender", "uploaded", "popularity")
_LEVEL = 0.95


@dataclass(frozen=True)
class Sums:
    """The number, the sum and the sum of squares of the values of some queries."""

    n: int = 0
    total: float = 0.0
    squares: float = 0.0

    def __add__(self, other: "Sums") -> "Sums":
        return Sums(self.n + other.n, self.total + other.total, self.squares + other.squares)

    def __sub__(self, other: "Sums") -> "Sums":
        return Sums(self.n - other.n, self.total - other.total, self.squares - other.squares)

    @property
    def mean(self) -> float:
        """The mean of the values."""
        return self.total / self.n

    @property
    def variance_of_mean(self) -> float:
        """The squared standard error of the mean, for two values or more."""
        return max(0.0, self.squares - self.n * self.mean**2) / (self.n - 1) / self.n


def sums_of_slices(values: Iterable[float], slices: Iterable[Sequence[str]]) -> dict[str, Sums]:
    """Return the sums of each slice; `slices` has those that each query is in."""
    found: dict[str, Sums] = {}
    for value, names in zip(values, slices, strict=True):
        for name in names:
            found[name] = found.get(name, Sums()) + Sums(1, value, value * value)
    return found


def slice_figures(metric: str, sums: Mapping[str, Sums], *, subject: str, min_queries: int) -> list[Figure]:
    """Return the mean of `metric` for each slice with its t-interval, the worst first, then the gaps of the groups.

    The gap of a group is how far its mean is from that of all other queries with the same attribute: negative if the
    group is served worse. Its interval is Welch's (Biometrika 34, 1947). The intervals of all groups of an attribute
    hold together with 95 % (Bonferroni), because one looks at the worst of them.

    A slice with fewer than `min_queries` queries has no mean and no gap, but `too_few_queries`, their number.

    Args:
        metric: what the values are; more is better.
        sums: of each slice.
        subject: the system.
        min_queries: 2 or more.
    """
    enough = {name: of for name, of in sums.items() if of.n >= min_queries}
    means = [
        Figure(
            metric, of.mean, subject=subject, slice=name, n=of.n, **_interval(of.mean, of.variance_of_mean, of.n - 1)
        )
        for name, of in sorted(enough.items(), key=lambda item: (item[1].mean, item[0]))
    ]
    few = [
        Figure("too_few_queries", of.n, subject=subject, slice=name, n=of.n)
        for name, of in sorted(sums.items())
        if name not in enough
    ]
    gaps = [gap for attribute in FAIRNESS for gap in _gaps(metric, attribute, sums, subject, min_queries)]
    return [*means, *gaps, *few]


def _gaps(metric: str, attribute: str, sums: Mapping[str, Sums], subject: str, min_queries: int) -> list[Figure]:
    groups = {name: of for name, of in sums.items() if name.startswith(f"{attribute}{SEPARATOR}")}
    everybody = sum(groups.values(), Sums())
    compared = {
        name: (of, everybody - of)
        for name, of in groups.items()
        if of.n >= min_queries and (everybody - of).n >= min_queries
    }
    figures = []
    for name, (of, rest) in compared.items():
        errors = (of.variance_of_mean, rest.variance_of_mean)
        freedom = _welch_freedom(errors, (of.n, rest.n))
        level = 1 - (1 - _LEVEL) / len(compared)
        interval = _interval(of.mean - rest.mean, sum(errors), freedom, level)
        figures.append(Figure(f"{metric}_gap", of.mean - rest.mean, subject=subject, slice=name, n=of.n, **interval))
    return sorted(figures, key=lambda gap: (gap.value, gap.slice))


def _welch_freedom(errors: tuple[float, float], counts: tuple[int, int]) -> float:
    below = sum(error**2 / (n - 1) for error, n in zip(errors, counts, strict=True))
    return sum(errors) ** 2 / below if below else 1.0


def _interval(value: float, squared_error: float, freedom: float, level: float = _LEVEL) -> dict[str, float]:
    """Return the ends of a t-interval; none if nothing varies."""
    if squared_error <= 0:
        return {}
    width = float(student.ppf((1 + level) / 2, freedom)) * sqrt(squared_error)
    return {"low": value - width, "high": value + width}
