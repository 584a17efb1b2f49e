"""The gate: recall of a built index against exact search, by stratum, before anything is published."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np

from vsearch_lib.serving.searcher import Searcher
from vsearch_lib.vectors import RowIds, Vectors

DEPTHS = (1, 10, 100)
_Z95 = 1.959964  # of the normal distribution, two-sided


@dataclass(frozen=True)
class Recall:
    """Mean recall over queries, and half the width of its 95 % confidence interval (normal approximation)."""

    mean: float
    half_width_95: float


@dataclass(frozen=True)
class Stratum:
    """Recall at each depth for one kind of query, by the codes alone and after re-scoring."""

    queries: int
    raw: Mapping[int, Recall]
    rescored: Mapping[int, Recall]


def measure(searcher: Searcher, queries: Vectors, *, own: RowIds | None = None) -> Stratum:
    """Return the recall of `searcher` for unit vectors `queries` (n, d) against exact search over the same rows.

    Where queries are rows of the index, `own` (n) says which: a row finds itself, and that counts for nothing. Where
    fewer than a depth's rows can be answered, recall is against those there are.
    """
    among = len(searcher.visible_ids()) - (own is not None)
    depth = min(max(DEPTHS), among)
    if depth < 1:
        return Stratum(0, *({at: Recall(1.0, 0.0) for at in DEPTHS} for _ in range(2)))

    def others(ids: RowIds) -> RowIds:
        if own is None:
            return ids
        # One answer more was asked for: the row itself, or where it was not found the last one.
        return np.array([row[row != me][: ids.shape[1] - 1] for row, me in zip(ids, own, strict=True)])

    extra = int(own is not None)
    truth = others(searcher.exact(queries, depth + extra).ids)

    def recalls(*, rescore: bool) -> dict[int, Recall]:
        # Each depth is asked for by itself: a long answer would lengthen the short list of the others.
        asked = {at: min(at, depth) for at in DEPTHS}
        found = {at: others(searcher.search(queries, k + extra, rescore=rescore).ids) for at, k in asked.items()}
        return {at: recall(found[at][:, :k], truth[:, :k]) for at, k in asked.items()}

    return Stratum(len(queries), recalls(rescore=False), recalls(rescore=True))


def recall(found: RowIds, truth: RowIds) -> Recall:
    """Return the mean share of each row of `truth` (n, k) that stands in the same row of `found`."""
    shares = np.array([len(np.intersect1d(f, t)) / len(t) for f, t in zip(found, truth, strict=True)])
    spread = float(shares.std(ddof=1)) / sqrt(len(shares)) if len(shares) > 1 else 0.0
    return Recall(float(shares.mean()), _Z95 * spread)


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
