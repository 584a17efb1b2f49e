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
    """Queries of one kind: unit vectors (n, d), and their row ids (n) if they are rows of the index."""

    vectors: Vectors
    own: RowIds | None = None


def measure_each(searcher: Searcher, queries: Mapping[str, Queries]) -> dict[str, Stratum]:
    """Return the recall of `searcher` for each kind of query, as `measure` does."""
    return {kind: measure(searcher, each.vectors, own=each.own) for kind, each in queries.items()}


def measure(searcher: Searcher, queries: Vectors, *, own: RowIds | None = None) -> Stratum:
    """Return the recall of `searcher` for unit vectors `queries` (n, d) against exact search over the same rows.

    If queries are rows of the index, `own` (n) has their row ids: a row finds itself, and that does not count. If an
    answer can have fewer rows than a depth, recall is against all of them.

    Raises:
        ValueError: no row can be answered, so there is nothing to measure.
    """
    answerable = len(searcher.visible_ids()) - (own is not None)
    max_depth = min(max(DEPTHS), answerable)
    if max_depth < 1:
        raise ValueError("no row can be answered: recall is not defined")

    def others(ids: RowIds) -> RowIds:
        return ids if own is None else without_own(ids, own)

    extra = int(own is not None)
    truth = others(searcher.exact(queries, max_depth + extra).ids)

    def recall_at(k: int, *, rescore: bool) -> Recall:
        # Each depth is searched separately: a long answer would lengthen the shortlist of the other depths.
        found = others(searcher.search(queries, k + extra, rescore=rescore).ids)
        return recall(found, truth[:, :k], queries, searcher.vectors)

    raw, rescored = (
        {depth: recall_at(min(depth, max_depth), rescore=rescore) for depth in DEPTHS} for rescore in (False, True)
    )
    return Stratum(len(queries), raw, rescored)


def report(strata: Mapping[str, Stratum], *, min_recall_at_10: float) -> GateReport:
    """Return the gate's report as the manifest holds it; the gate passes if every stratum reaches the threshold."""
    rounded = {name: _rounded(stratum) for name, stratum in strata.items()}
    gate_report = GateReport(False, rounded, min_recall_at_10)
    return replace(gate_report, passed=not refusals(gate_report))


def recall_figures(strata: Mapping[str, Stratum], *, subject: str) -> list[Figure]:
    """Return the recall of `subject` for each stratum and depth, after re-scoring and by the codes alone."""
    return [
        recall_figure(recalls[depth], f"recall_at_{depth}{suffix}", subject=subject, stratum=name, n=stratum.queries)
        for name, stratum in strata.items()
        for suffix, recalls in (("", stratum.rescored), ("_raw", stratum.raw))
        for depth in DEPTHS
    ]


def refusals(gate: GateReport) -> list[str]:
    """Return a line for each stratum of a gate report below the threshold; no line if nothing was measured."""
    limit = gate.min_recall_at_10 or 0.0
    return [
        f"{name}: recall@10 {mean:.3f} is {limit - mean:.3f} below gate.min_recall_at_10 = {limit:g}"
        for name, stratum in gate.strata.items()
        if (mean := stratum.rescored[10].mean) < limit
    ]


def _rounded(stratum: Stratum) -> Stratum:
    raw, rescored = (
        {depth: Recall(round(recall.mean, 5), round(recall.half_width_95, 5)) for depth, recall in recalls.items()}
        for recalls in (stratum.raw, stratum.rescored)
    )
    return Stratum(stratum.queries, raw, rescored)
