"""The difference of two systems by slice of the queries, and the queries that it moves most."""

from collections.abc import Mapping, Sequence

from vsearch_lib.config import Settings
from vsearch_lib.figures import Figure
from vsearch_lib.lake import Lake
from vsearch_lib.measure.comparison.evidence import Evidence
from vsearch_lib.measure.offline.query_slices import slices_of_each
from vsearch_lib.paired import paired_difference


def gains_by_slice(lake: Lake, settings: Settings, evidence: Evidence) -> list[Figure]:
    """Return `gains_of` the slices of the lake's query pictures, each of `evaluation.min_slice_queries` or more."""
    slices = slices_of_each(lake, settings, sorted(gain_of_each(evidence)))
    return gains_of(evidence, slices, min_queries=settings.evaluation.min_slice_queries)


def gains_of(evidence: Evidence, slices: Mapping[str, Sequence[str]], *, min_queries: int) -> list[Figure]:
    """Return the gain in each slice of `min_queries` queries or more, the worst slices first.

    Each interval is that of one slice: of twenty slices without a difference, one looks different by chance.

    Args:
        evidence: of one kind of queries.
        slices: query → the slices that it is in.
        min_queries: 1 or more.
    """
    gains = gain_of_each(evidence)
    members: dict[str, list[float]] = {}
    for query, gain in gains.items():
        for name in slices.get(query, ()):
            members.setdefault(name, []).append(gain)
    pair, figures = evidence.pair, []
    for name, values in members.items():
        if len(values) >= min_queries:
            found = paired_difference(values, [0.0] * len(values), seed=pair.seed)
            ends = {"low": found.low, "high": found.high}
            figures.append(
                Figure(f"{evidence.metric}_gain", found.mean, subject=pair.subject, slice=name, n=found.n, **ends)
            )
    return sorted(figures, key=lambda figure: (figure.value, figure.slice))


def gain_of_each(evidence: Evidence) -> dict[str, float]:
    """Return query → how much higher its value is with the new system."""
    new, used = (evidence.values[name] for name in (evidence.pair.new, evidence.pair.used))
    differences = new.of_each[evidence.metric] - used.of_each[evidence.metric]
    return dict(zip(new.queries, differences.tolist(), strict=True))


def moved_most(gains: Mapping[str, float], *, count: int) -> list[str]:
    """Return up to `count` queries that lost most, then up to `count` that gained most; none that did not move."""
    lost = sorted((query for query in gains if gains[query] < 0), key=lambda query: (gains[query], query))
    gained = sorted((query for query in gains if gains[query] > 0), key=lambda query: (-gains[query], query))
    return [*lost[:count], *gained[:count]]
