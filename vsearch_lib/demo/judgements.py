"""What people and the catalogue itself say about pairs of pictures."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from vsearch_lib.demo.factors import TOP_GRADE, grade_matrix
from vsearch_lib.demo.uploads import Uploads, image_id

EXACT = "catalogue"
ANNOTATORS = ("annotator-1", "annotator-2", "annotator-3")
_QUERY_SHARE, _MOST_QUERIES = 0.2, 400
_MOST_HUMAN_PAIRS = 1500
_SLIP = (0.15, 0.7, 0.15)  # how often an annotator is one too low, right, one too high
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
            slip = rng.choice((-1, 0, 1), p=_SLIP)
            yield _row(query, int(image), annotator, int(np.clip(grades[image] + slip, 0, TOP_GRADE)))


def judgements(rng: np.random.Generator, uploads: Uploads) -> Iterator[dict[str, object]]:
    """Landing rows for a fifth of the pictures as queries, at most 400.

    The annotator "catalogue" gives the exact grade of every other picture of grade 1 or more. Three human
    annotators score about 1,500 pairs of the same queries (three quarters of the number of images, in a smaller
    catalogue), half of them relevant, and are at times one too high or too low.
    """
    count = len(uploads)
    queries = np.sort(rng.choice(count, size=min(_MOST_QUERIES, max(1, int(_QUERY_SHARE * count))), replace=False))
    pairs = -(-min(_MOST_HUMAN_PAIRS, count * 3 // 4) // len(queries))
    for query in queries:
        grades = grade_matrix(uploads.codes[query : query + 1], uploads.codes)[0]
        grades[query] = 0  # a picture is never judged against itself
        relevant = np.flatnonzero(grades)
        for image in relevant:
            yield _row(int(query), int(image), EXACT, int(grades[image]))
        some = rng.permutation(relevant)[: pairs // 2]
        rest = np.setdiff1d(rng.choice(count, size=2 * pairs, replace=False), [*some, query])
        yield from _scores(rng, int(query), np.concatenate([some, rng.permutation(rest)[: pairs - len(some)]]), grades)
