"""The ranking figures of ir-measures, under this project's names."""

from __future__ import annotations

from collections.abc import Sequence

import ir_measures
from ir_measures import AP, RR, P, R, Success, nDCG

EXPONENTIAL = {grade: 2**grade - 1 for grade in range(6)}


def named_measures(depths: Sequence[int]) -> list[dict[str, ir_measures.Measure]]:
    """All measures by name, in two groups. Each group needs a calculation of its own: within one, ir-measures computes
    an nDCG with linear gains by the exponential gains of another whenever that one happens to come first."""
    linear, exponential = {}, {}
    for suffix, only in (("", False), ("_judged_only", True)):
        linear |= {f"mrr{suffix}": RR(rel=3, judged_only=only), f"map{suffix}": AP(rel=3, judged_only=only)}
        for k in depths:
            linear |= {
                f"precision_at_{k}{suffix}": P(rel=3, judged_only=only) @ k,
                f"judged_recall_at_{k}{suffix}": R(rel=3, judged_only=only) @ k,
                f"hit_rate_at_{k}{suffix}": Success(rel=3, judged_only=only) @ k,
                f"ndcg_at_{k}{suffix}": nDCG(judged_only=only) @ k,
            }
            exponential[f"ndcg_exponential_at_{k}{suffix}"] = nDCG(gains=EXPONENTIAL, judged_only=only) @ k
    return [linear, exponential]
