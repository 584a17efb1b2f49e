"""Queries and their answers as pictures, for the page of `evaluate`."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from vsearch_lib.lake import Lake
from vsearch_lib.lake.pictures import stored_jpegs
from vsearch_lib.measure.offline.formulas import RELEVANT_FROM
from vsearch_lib.measure.offline.ranking import Judgements
from vsearch_lib.report.page import Answer, Query
from vsearch_lib.search.searcher import Searcher

SHOWN = 10


def shown_queries(
    lake: Lake, searcher: Searcher, queries: Sequence[str], row_of: Mapping[str, int], judged: Judgements
) -> list[Query]:
    """Return `queries`, images of the index, with their first `SHOWN` answers.

    Args:
        lake: with the pictures.
        searcher: of the index.
        queries: image ids.
        row_of: image id → row id.
        judged: the scores of the answers, for the queries that people scored.
    """
    rows = np.array([row_of[query] for query in queries])
    hits = searcher.search(searcher.vectors(rows), min(SHOWN + 1, len(searcher.visible_ids())))
    answers = {
        query: [(int(row), float(score)) for row, score in zip(hits.ids[i], hits.scores[i], strict=True) if row >= 0]
        for i, query in enumerate(queries)
    }
    shown = {row for found in answers.values() for row, _ in found} | {int(row) for row in rows}
    facts = {row: searcher.describe(np.array([row]))[0] for row in shown}
    jpegs = stored_jpegs(lake, [fact["image_id"] for fact in facts.values()])
    page = []
    for query, row in zip(queries, rows, strict=True):
        tags = set(facts[int(row)]["tags"])
        listed = [
            _answer(facts[found], jpegs, score, judged.get(query), tags)
            for found, score in answers[query]
            if found != row
        ]
        page.append(Query(query, jpegs[query], ", ".join(facts[int(row)]["tags"]), listed[:SHOWN]))
    return page


def _answer(
    fact: dict[str, Any], jpegs: dict[str, bytes], score: float, scores: Mapping[str, int] | None, query_tags: set[str]
) -> Answer:
    """An answer is right by its score, or if nobody scored the query, by a shared tag; None if there are no tags."""
    image = fact["image_id"]
    if scores is not None:
        grade = scores.get(image, 0)
        return Answer(image, jpegs[image], score, f"score {grade}", grade >= RELEVANT_FROM)
    right = bool(query_tags & set(fact["tags"])) if query_tags else None
    return Answer(image, jpegs[image], score, ", ".join(fact["tags"]), right)
