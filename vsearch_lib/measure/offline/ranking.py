"""Ranking figures on judged queries, computed by ir-measures."""

from collections.abc import Mapping, Sequence

import ir_measures
import numpy as np
from ir_measures import AP, RR, nDCG

from vsearch_lib.vectors import Vectors

DEPTH = 1000  # answers a query, over which figures are computed
RELEVANT_FROM = 3  # score, of 0–5, from which an answer counts as right for MRR and mAP

Judgements = Mapping[str, Mapping[str, int]]  # query id → image id → score 0–5
Rankings = Mapping[str, Sequence[str]]  # query id → image ids, best first

_MEASURES = {"ndcg_at_10": nDCG @ 10, "mrr": RR(rel=RELEVANT_FROM), "map": AP(rel=RELEVANT_FROM)}
RANKING_FIGURES = tuple(_MEASURES)


def ranking_figures(judgements: Judgements, rankings: Rankings) -> dict[str, float]:
    """Return nDCG@10 (gain = score), MRR and mAP, means over the judged queries; an unjudged answer scores 0.

    A query without a ranking counts 0. Definitions: nDCG Järvelin and Kekäläinen 2002; AP and RR as in TREC.
    """
    found = ir_measures.calc_aggregate(list(_MEASURES.values()), _qrels(judgements), _run(rankings))
    return {name: float(found[measure]) for name, measure in _MEASURES.items()}


def _run(rankings: Rankings) -> dict[str, dict[str, float]]:
    return {
        query: {image: float(len(ranked) - rank) for rank, image in enumerate(ranked)}
        for query, ranked in rankings.items()
    }


def _qrels(judgements: Judgements) -> dict[str, dict[str, int]]:
    return {query: {image: int(score) for image, score in scores.items()} for query, scores in judgements.items()}


def ndcg_of_each_query(judgements: Judgements, rankings: Rankings) -> dict[str, float]:
    """Return the nDCG@10 of each judged query, 0 for one without a ranking."""
    run, qrels = _run(rankings), _qrels(judgements)
    found = {one.query_id: float(one.value) for one in ir_measures.iter_calc([nDCG @ 10], qrels, run)}
    return {query: found.get(query, 0.0) for query in judgements}


def exact_rankings(queries: Sequence[str], ids: Sequence[str], vectors: Vectors, *, depth: int) -> dict[str, list[str]]:
    """Rank all `ids` by inner product of their `vectors` (n, d) for each query (one of them), itself left out."""
    position = {image: i for i, image in enumerate(ids)}
    rankings = {}
    for query in queries:
        scores = vectors @ vectors[position[query]]
        best = np.argsort(-scores, kind="stable")[: depth + 1]
        rankings[query] = [ids[i] for i in best if ids[i] != query][:depth]
    return rankings
