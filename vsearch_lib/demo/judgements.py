"""Scores of pairs of pictures, by human annotators and by the catalogue itself."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from vsearch_lib.demo.factors import TOP_GRADE, grade_matrix
from vsearch_lib.demo.uploads import Uploads, image_id

EXACT = "catalogue"
ANNOTATORS = ("annotator-1", "annotator-2", "annotator-3")
_QUERY_SHARE, _MAX_QUERIES = 0.2, 400
_MAX_HUMAN_PAIRS = 1500
_ERROR_SHARES = (0.15, 0.7, 0.15)  # how often a score is one too low, right, one too high
_JOINT_SHARE = 0.2


def _row(query: int, image: int, annotator: str, score: int) -> dict[str, object]:
    return {"query_image_id": image_id(query), "image_id": image_id(image), "annotator": annotator, "score": score}


def _scores(
    rng: np.random.Generator, query: int, images: npt.NDArray[np.int64], grades: npt.NDArray[np.int8]
) -> Iterator[dict[str, object]]:
    """Human scores of some images for a query: each pair by one annotator, a fifth of the pairs by all three."""
    for image in images:
        joint = rng.random() < _JOINT_SHARE
        for annotator in ANNOTATORS if joint else [str(rng.choice(ANNOTATORS))]:
            error = rng.choice((-1, 0, 1), p=_ERROR_SHARES)
            yield _row(query, int(image), annotator, int(np.clip(grades[image] + error, 0, TOP_GRADE)))


def judgements(rng: np.random.Generator, uploads: Uploads) -> Iterator[dict[str, object]]:
    """Yield landing rows with a fifth of the pictures, at most 400, as queries.

    The annotator "catalogue" gives the exact grade of every other picture of grade 1 or more. Three human
    annotators score about 1,500 pairs of the same queries (in a smaller catalogue, three quarters of the number of
    images). Half of these pairs are relevant, and some scores are one too high or too low.
    """
    count = len(uploads)
    queries = np.sort(rng.choice(count, size=min(_MAX_QUERIES, max(1, int(_QUERY_SHARE * count))), replace=False))
    pairs = -(-min(_MAX_HUMAN_PAIRS, count * 3 // 4) // len(queries))
    for query in queries:
        grades = grade_matrix(uploads.codes[query : query + 1], uploads.codes)[0]
        grades[query] = 0  # a picture is never judged against itself
        relevant = np.flatnonzero(grades)
        for image in relevant:
            yield _row(int(query), int(image), EXACT, int(grades[image]))
        some = rng.permutation(relevant)[: pairs // 2]
        rest = np.setdiff1d(rng.choice(count, size=2 * pairs, replace=False), [*some, query])
        yield from _scores(rng, int(query), np.concatenate([some, rng.permutation(rest)[: pairs - len(some)]]), grades)
