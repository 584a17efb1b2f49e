"""Labels from the nearest neighbour: has the nearest other picture the tags of the query?

The labels of an image are its tags. So an image may have several, and no tag has to be chosen as its class. If every
image has one tag, this is the F1 of a nearest-neighbour classifier.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vsearch_lib.figures import Figure
from vsearch_lib.search.searcher import Searcher

MAX_LABELS = 50  # the most frequent ones
_RESAMPLES = 1000
_ANSWERS = 20  # among which the nearest picture that is no copy is looked for

Labels = Sequence[frozenset[str]]


def nearest_labels(searcher: Searcher, *, seed: int, limit: int) -> tuple[Labels, Labels]:
    """Return the tags of a seeded sample of visible rows with tags, and those of the nearest other picture of each.

    A row with the same perceptual hash is a copy of the picture and does not count. If all answers are copies, the
    predicted labels are empty.
    """
    visible = searcher.visible_ids()
    rows = np.random.default_rng(seed).permutation(visible)[:limit]
    if not len(rows):
        return [], []
    hits = searcher.search(searcher.vectors(rows), min(_ANSWERS, len(visible)))
    truth, predicted = [], []
    for row, found in zip(rows, hits.ids, strict=True):
        own, *others = searcher.describe(np.array([row, *found[found >= 0]]))
        if own["tags"]:
            no_copies = [fact["tags"] for fact in others if fact["phash"] != own["phash"]]
            truth.append(frozenset(own["tags"]))
            predicted.append(frozenset(no_copies[0] if no_copies else ()))
    return truth, predicted


def label_figures(truth: Labels, predicted: Labels, *, subject: str, min_queries: int, seed: int) -> list[Figure]:
    """Return F1 of each label, the worst first, and their mean (macro F1), with bootstrap intervals over queries.

    F1 is 2·tp / (2·tp + fp + fn): of the queries for which a label is true, predicted, or both. Labels that fewer than
    `min_queries` queries have are left out, and of the others all but the `MAX_LABELS` most frequent.

    Args:
        truth: the labels (n) of each query.
        predicted: the labels (n) of its nearest neighbour.
        subject: the system.
        min_queries: 1 or more.
        seed: of the bootstrap.
    """
    counts = Counter(label for labels in truth for label in labels)
    names = [label for label, n in sorted(counts.items(), key=lambda item: (-item[1], item[0])) if n >= min_queries]
    names = names[:MAX_LABELS]
    if not names:
        return []
    is_true, is_predicted = (_matrix(labels, names) for labels in (truth, predicted))
    draws = np.random.default_rng(seed).multinomial(len(truth), np.full(len(truth), 1 / len(truth)), size=_RESAMPLES)
    hits, named = is_true * is_predicted, is_true + is_predicted
    values = _f1(hits.sum(axis=0), named.sum(axis=0))
    resampled = _f1(draws @ hits, draws @ named)
    low, high = np.percentile(resampled, [2.5, 97.5], axis=0)
    ends = np.percentile(resampled.mean(axis=1), [2.5, 97.5])
    macro = Figure(
        "label_macro_f1", float(values.mean()), subject=subject, n=len(truth), low=float(ends[0]), high=float(ends[1])
    )
    each = [
        Figure(
            "label_f1", float(value), subject=subject, slice=f"tag: {name}", n=counts[name], low=float(a), high=float(b)
        )
        for name, value, a, b in zip(names, values, low, high, strict=True)
    ]
    return [macro, *sorted(each, key=lambda figure: (figure.value, figure.slice))]


def _f1(hits: NDArray[np.float64], named: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return 2·tp / (2·tp + fp + fn); `named` is how often a label is true plus how often it is predicted."""
    return np.asarray(np.divide(2 * hits, named, out=np.zeros(named.shape), where=named > 0))


def _matrix(labels: Labels, names: Sequence[str]) -> NDArray[np.float64]:
    return np.array([[name in of for name in names] for of in labels], dtype=np.float64)
