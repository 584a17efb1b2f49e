"""The gate: recall of a built index against exact search, by stratum, before anything is published."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vsearch_lib.figures import Figure
from vsearch_lib.publishing.recall import Recall, recall, without_own
from vsearch_lib.search.searcher import Searcher
from vsearch_lib.vectors import RowIds, Vectors

DEPTHS = (1, 10, 100)


@dataclass(frozen=True)
class Stratum:
    """Recall at each depth for one kind of query, by the codes alone and after re-scoring."""

    queries: int
    raw: Mapping[int, Recall]
    rescored: Mapping[int, Recall]


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


def report(strata: Mapping[str, Stratum], *, min_recall_at_10: float) -> dict[str, Any]:
    """Return the gate's report as it stands in the manifest; it passes where every stratum reaches the threshold."""
    entries = {
        name: {
            "queries": stratum.queries,
            **{f"recall_at_{at}_raw": _rounded(stratum.raw[at]) for at in DEPTHS},
            **{f"recall_at_{at}": _rounded(stratum.rescored[at]) for at in DEPTHS},
        }
        for name, stratum in strata.items()
    }
    judged = {"min_recall_at_10": min_recall_at_10, "strata": entries}
    return {"passed": not refusals(judged), **judged}


def recall_figures(strata: Mapping[str, Stratum], *, subject: str) -> list[Figure]:
    """Return the recall of `subject` for each stratum and depth, after re-scoring and by the codes alone."""
    return [
        recall[at].figure(f"recall_at_{at}{suffix}", subject=subject, stratum=name, n=stratum.queries)
        for name, stratum in strata.items()
        for suffix, recall in (("", stratum.rescored), ("_raw", stratum.raw))
        for at in DEPTHS
    ]


def refusals(gate: Mapping[str, Any]) -> list[str]:
    """Return a line for each stratum of a gate report below the threshold."""
    limit = gate["min_recall_at_10"]
    return [
        f"{name}: recall@10 {mean:.3f} is {limit - mean:.3f} below gate.min_recall_at_10 = {limit:g}"
        for name, entry in gate["strata"].items()
        if (mean := entry["recall_at_10"]["mean"]) < limit
    ]


def _rounded(value: Recall) -> dict[str, float]:
    return {"mean": round(value.mean, 5), "half_width_95": round(value.half_width_95, 5)}
