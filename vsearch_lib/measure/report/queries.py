"""The queries that the published index answers worst and best, as pictures, with what the model looks at."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from vsearch_lib.config import Settings
from vsearch_lib.encoder.activation import LocatingEmbedder
from vsearch_lib.examples.split import images_with_split
from vsearch_lib.lake import Lake
from vsearch_lib.lake.pictures import public_jpegs
from vsearch_lib.measure.offline.formulas import RELEVANT_FROM, Measures
from vsearch_lib.measure.offline.judged import judged_queries
from vsearch_lib.measure.offline.ranking import measured
from vsearch_lib.measure.report.spotlight import spotlit
from vsearch_lib.models.load import load_model
from vsearch_lib.report.page import Answer, Query
from vsearch_lib.report.pictures import Picture
from vsearch_lib.search.searcher import Searcher
from vsearch_lib.serving.look import look

_ANSWERS = 10

Ranked = Mapping[str, Sequence[tuple[str, float]]]  # query → answers with their cosines, best first


@dataclass(frozen=True)
class Extremes:
    """The worst queries, worst first, and the best ones, best first."""

    worst: list[Query]
    best: list[Query]


def worst_and_best(lake: Lake, searcher: Searcher, settings: Settings) -> Extremes | None:
    """Return `reports.page_queries` of each, by nDCG@10; None if no query is judged.

    Queries are those that `evaluate` measures. Queries and answers are images that everybody may see now.
    """
    chosen = settings.evaluation
    images = images_with_split(lake, settings)
    judged = judged_queries(lake.read("judgements"), images, seed=chosen.seed, limit=chosen.max_queries)
    visible = set(searcher.visible_ids().tolist())
    rows = {query: row for query in judged if (row := searcher.row_of(query)) is not None and row in visible}
    judged = {query: judged[query] for query in rows}
    if not judged:
        return None
    ranked = _ranked(searcher, rows)
    rankings = {query: [image for image, _ in found] for query, found in ranked.items()}
    values = measured(judged, rankings, Measures())
    ndcg = dict(zip(values.queries, values.of_each["ndcg_at_10"].tolist(), strict=True))
    in_order = sorted(judged, key=lambda query: (ndcg[query], query))
    count = min(settings.reports.page_queries, (len(in_order) + 1) // 2)
    worst, best = in_order[:count], in_order[::-1][:count]
    shown = {*worst, *best}
    jpegs = public_jpegs(lake, sorted({*shown, *(image for query in shown for image, _ in ranked[query])}))
    model = searcher.manifest.model
    embedder = load_model(model.uri, model.version).locating_embedder()

    def drawn(queries: Sequence[str]) -> list[Query]:
        return [
            _query(query, ndcg[query], ranked[query], judged[query], jpegs, embedder)
            for query in queries
            if query in jpegs
        ]

    return Extremes(drawn(worst), drawn(best))


def _ranked(searcher: Searcher, rows: Mapping[str, int]) -> dict[str, list[tuple[str, float]]]:
    """Return the published index's answers to queries, given by their rows, without the queries themselves."""
    queries = np.array(list(rows.values()), dtype=np.int64)
    hits = searcher.search(searcher.vectors(queries), min(_ANSWERS + 1, len(searcher.visible_ids())))
    ranked = {}
    for query, own, ids, scores in zip(rows, queries, hits.ids, hits.scores, strict=True):
        found = [(int(row), float(score)) for row, score in zip(ids, scores, strict=True) if row not in (own, -1)]
        facts = searcher.describe(np.array([row for row, _ in found], dtype=np.int64))
        ranked[query] = [(fact["image_id"], score) for fact, (_, score) in zip(facts, found, strict=True)][:_ANSWERS]
    return ranked


def _query(
    query: str,
    ndcg: float,
    found: Sequence[tuple[str, float]],
    scores: Mapping[str, int],
    jpegs: Mapping[str, bytes],
    embedder: LocatingEmbedder | None,
) -> Query:
    answers = []
    for image, cosine in found:
        if image in jpegs:
            score = scores.get(image)
            caption = "not judged" if score is None else f"score {score}"
            answers.append(Answer(image, jpegs[image], cosine, caption, (score or 0) >= RELEVANT_FROM))
    caption = f"{query}, nDCG@10 {ndcg:.3f}"
    return Query(query, jpegs[query], caption, answers, _looks(query, jpegs[query], answers, embedder))


def _looks(
    query: str, jpeg: bytes, answers: Sequence[Answer], embedder: LocatingEmbedder | None
) -> tuple[Picture, ...]:
    """Return the query and its first answer, each with what the model looks at when it finds them alike."""
    if embedder is None or not answers or answers[0].jpeg is None:
        return ()
    first, answer = answers[0].image_id, answers[0].jpeg
    try:
        seen = look(embedder, jpeg, answer)
    except ValueError:  # one of the pictures has no vector of this model
        return ()
    return (
        Picture(query, spotlit(jpeg, seen.query), "looked at in the query"),
        Picture(first, spotlit(answer, seen.answer), "looked at in answer 1"),
    )
