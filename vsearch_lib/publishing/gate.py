"""The gate: recall of a built index against exact search, by stratum, before anything is published."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from vsearch_lib.artefact.gate_report import GateReport, Recall, Stratum
from vsearch_lib.figures import Figure
from vsearch_lib.publishing.recall import recall, recall_figure, without_own
from vsearch_lib.search.searcher import Searcher
from vsearch_lib.vectors import RowIds, Vectors

DEPTHS = (1, 10, 100)


@dataclass(frozen=True)
class Queries:
    """Queries of one kind: unit vectors (n, d), and if they are rows of the index, which ones (n)."""

    vectors: Vectors
    own: RowIds | None = None


def measure_each(searcher: Searcher, queries: Mapping[str, Queries]) -> dict[str, Stratum]:
    """Return the recall of `searcher` for each kind of query, as `measure` does."""
    return {kind: measure(searcher, asked.vectors, own=asked.own) for kind, asked in queries.items()}


def measure(searcher: Searcher, queries: Vectors, *, own: RowIds | None = None) -> Stratum:
    """Return the recall of `searcher` for unit vectors `queries` (n, d) against exact search over the same rows.

    If queries are rows of the index, `own` (n) says which: a row finds itself, and that does not count. If fewer rows
    than a depth can be answered, recall is against those there are.

    Raises:
        ValueError: there is no row that could be answered, so there is nothing to measure.
    """
    among = len(searcher.visible_ids()) - (own is not None)
    depth = min(max(DEPTHS), among)
    if depth < 1:
        raise ValueError("no row can be answered: recall is not defined")

    def others(ids: RowIds) -> RowIds:
        return ids if own is None else without_own(ids, own)

    extra = int(own is not None)
    truth = others(searcher.exact(queries, depth + extra).ids)

    def recall_at(k: int, *, rescore: bool) -> Recall:
        # Each depth is asked for by itself: a long answer would lengthen the short list of the others.
        found = others(searcher.search(queries, k + extra, rescore=rescore).ids)
        return recall(found, truth[:, :k], queries, searcher.vectors)

    raw, rescored = ({at: recall_at(min(at, depth), rescore=rescore) for at in DEPTHS} for rescore in (False, True))
    return Stratum(len(queries), raw, rescored)


def report(strata: Mapping[str, Stratum], *, min_recall_at_10: float) -> GateReport:
    """Return the gate's report as it stands in the manifest; it passes where every stratum reaches the threshold."""
    rounded = {name: _rounded(stratum) for name, stratum in strata.items()}
    judged = GateReport(False, rounded, min_recall_at_10)
    return replace(judged, passed=not refusals(judged))


def recall_figures(strata: Mapping[str, Stratum], *, subject: str) -> list[Figure]:
    """Return the recall of `subject` for each stratum and depth, after re-scoring and by the codes alone."""
    return [
        recall_figure(recalls[at], f"recall_at_{at}{suffix}", subject=subject, stratum=name, n=stratum.queries)
        for name, stratum in strata.items()
        for suffix, recalls in (("", stratum.rescored), ("_raw", stratum.raw))
        for at in DEPTHS
    ]


def refusals(gate: GateReport) -> list[str]:
    """Return a line for each stratum of a gate report below the threshold; none if nothing was measured."""
    limit = gate.min_recall_at_10 or 0.0
    return [
        f"{name}: recall@10 {mean:.3f} is {limit - mean:.3f} below gate.min_recall_at_10 = {limit:g}"
        for name, stratum in gate.strata.items()
        if (mean := stratum.rescored[10].mean) < limit
    ]


def _rounded(stratum: Stratum) -> Stratum:
    raw, rescored = (
        {at: Recall(round(found.mean, 5), round(found.half_width_95, 5)) for at, found in recalls.items()}
        for recalls in (stratum.raw, stratum.rescored)
    )
    return Stratum(stratum.queries, raw, rescored)
