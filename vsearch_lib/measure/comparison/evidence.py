"""How two models do on the same queries of one kind, with the interval of the difference."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from vsearch_lib.figures import Figure
from vsearch_lib.paired import Difference, paired_difference

# The kinds of queries, which are slices of the figures.
JUDGED, CLICKED, OWN_VIEWS, FROZEN_NEIGHBOURS = "judged", "clicked", "own views", "frozen neighbours"


@dataclass(frozen=True)
class Evidence:
    """What the queries of one kind say about a new model and the one in use.

    Attributes:
        kind: a slice of the figures.
        new: the mean of the compared figure over the queries, for the new model.
        used: the same for the model in use.
        gain: how much higher it is for the new model, query by query.
        figures: all figures of both models, and the gain.
    """

    kind: str
    new: float
    used: float
    gain: Difference
    figures: list[Figure]

    @property
    def outcome(self) -> str:
        """What the difference says of the new model, in words."""
        if self.gain.low > 0:
            return "better"
        return "worse" if self.gain.high < 0 else "no difference that can be told"


@dataclass(frozen=True)
class Pair:
    """The versions of a new model and of the one in use, and the seed of the intervals of their differences."""

    new: str
    used: str
    seed: int

    def evidence(
        self,
        kind: str,
        metric: str,
        values: Mapping[str, Sequence[float]],
        others: Mapping[str, Mapping[str, float]] | None = None,
    ) -> Evidence:
        """Return what the values of a figure, of which more is better, say about the two models.

        Args:
            kind: of the queries.
            metric: the name of the figure.
            values: version → its value for each query, in the same order for both models.
            others: version → other figures of the model, which are recorded and decide nothing.

        Raises:
            ValueError: there is no query.
        """
        gain = paired_difference(values[self.new], values[self.used], seed=self.seed)
        figures = [Figure("compared_queries", gain.n, slice=kind)]
        means = {version: float(np.mean(of_each)) for version, of_each in values.items()}
        for version, mean in means.items():
            named = {metric: mean, **(others or {}).get(version, {})}
            subject = f"model {version}"
            figures += [Figure(name, value, subject=subject, slice=kind, n=gain.n) for name, value in named.items()]
        subject = f"model {self.new} over {self.used}"
        figures.append(
            Figure(f"{metric}_gain", gain.mean, subject=subject, slice=kind, n=gain.n, low=gain.low, high=gain.high)
        )
        return Evidence(kind, means[self.new], means[self.used], gain, figures)
