"""How two models or two indexes do on the same queries of one kind, with the interval of the difference."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from vsearch_lib.figures import Figure
from vsearch_lib.measure.offline.ranking import Values
from vsearch_lib.paired import Difference, paired_difference

# The kinds of queries, which are slices of the figures.
JUDGED, CLICKED, OWN_VIEWS, FROZEN_NEIGHBOURS = "judged", "clicked", "own views", "frozen neighbours"
EXACT_SEARCH = "exact search"

Answers = Mapping[str, Sequence[tuple[str, float]]]  # query → its first answers: image id and cosine


@dataclass(frozen=True)
class Pair:
    """The names of a new system and of the one in use, and the seed of the intervals.

    Attributes:
        what: what is compared: `model` or `index`.
    """

    new: str
    used: str
    seed: int
    what: str = "model"

    @property
    def subject(self) -> str:
        """The subject of the figures about the difference."""
        return f"{self.what} {self.new} over {self.used}"

    def evidence(
        self, kind: str, metric: str, values: Mapping[str, Values], answers: Mapping[str, Answers] | None = None
    ) -> "Evidence":
        """Return what the values of a figure, of which more is better, say about the two systems.

        Args:
            kind: of the queries.
            metric: the name of the figure that decides.
            values: system → its values; the queries and their order are the same for both.
            answers: system → its first answers to each query.

        Raises:
            ValueError: there is no query.
        """
        new, used = (values[name].of_each[metric] for name in (self.new, self.used))
        gain = paired_difference(new.tolist(), used.tolist(), seed=self.seed)
        figures = [Figure("compared_queries", gain.n, slice=kind)]
        for name, each in values.items():
            figures += each.figures(subject=f"{self.what} {name}", slice_=kind, seed=self.seed)
        figures.append(
            Figure(
                f"{metric}_gain", gain.mean, subject=self.subject, slice=kind, n=gain.n, low=gain.low, high=gain.high
            )
        )
        return Evidence(kind, metric, self, float(new.mean()), float(used.mean()), gain, figures, values, answers or {})


@dataclass(frozen=True)
class Evidence:
    """What the queries of one kind say about a new system and the one in use.

    Attributes:
        kind: a slice of the figures.
        metric: the compared figure, of which more is better.
        pair: the two systems.
        new: the mean of the compared figure over the queries, for the new system.
        used: the same for the one in use.
        gain: how much higher it is for the new system, query by query.
        figures: all figures of both, and the gain.
        values: system → the figures of each query, of the same queries for both.
        answers: system → the first answers to each query, if they are known.
    """

    kind: str
    metric: str
    pair: Pair
    new: float
    used: float
    gain: Difference
    figures: list[Figure]
    values: Mapping[str, Values] = field(default_factory=dict)
    answers: Mapping[str, Answers] = field(default_factory=dict)
