"""Answers that differ from each other, at the cost of some similarity to the query."""

from collections.abc import Sequence

import numpy as np

from vsearch_lib.serving.candidates import Candidate, Wish

NAME = "diversity"


def diversity(candidates: Sequence[Candidate], wish: Wish, *, weight: float) -> list[Candidate]:
    """Return the candidates in the order of maximal marginal relevance, those that moved are marked.

    The next answer maximises (1 - w)·cos(query, a) - w·max cos(a, b) over the answers b before it, where w is `weight`:
    λ = 1 - w in Carbonell and Goldstein, SIGIR 1998. Only the first k are chosen so; the others follow as they were.
    """
    if weight == 0 or len(candidates) < 2:
        return list(candidates)
    vectors = np.stack([candidate.vector for candidate in candidates if candidate.vector is not None])
    relevance = (1 - weight) * np.array([candidate.cosine for candidate in candidates])
    nearest = np.full(len(candidates), -np.inf)  # cosine to the nearest answer chosen before
    order: list[int] = []
    for _ in range(min(wish.k, len(candidates))):
        marginal = relevance - weight * nearest if order else relevance.copy()
        marginal[order] = -np.inf
        order.append(int(np.argmax(marginal)))
        nearest = np.maximum(nearest, vectors @ vectors[order[-1]])
    order += [i for i in range(len(candidates)) if i not in set(order)]
    return [candidates[i] if i == rank else candidates[i].marked(NAME) for rank, i in enumerate(order)]
