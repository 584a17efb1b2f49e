"""Of images that look the same, the first one stands for all."""

from collections.abc import Sequence

import numpy as np

from vsearch_lib.serving.candidates import Candidate, Wish

NAME = "near_duplicates"


def near_duplicates(candidates: Sequence[Candidate], wish: Wish, *, bits: int, cosine: float) -> list[Candidate]:
    """Return the candidates without near-duplicates of an earlier one, which is marked.

    Near-duplicates have perceptual hashes that differ in at most `bits` bits, and vectors with at least this `cosine`.
    The hash alone joins flat pictures and clothes that hang alike; the vector alone joins different photos of a thing.
    """
    if wish.copies or not candidates:
        return list(candidates)
    hashes = np.array([int(candidate.facts.phash, 16) for candidate in candidates], dtype=np.uint64)
    vectors = np.stack([candidate.vector for candidate in candidates if candidate.vector is not None])
    kept: list[int] = []
    standing: set[int] = set()
    for i in range(len(candidates)):
        differing = np.unpackbits((hashes[kept] ^ hashes[i]).view(np.uint8)).reshape(-1, 64).sum(axis=1)
        same = np.flatnonzero((differing <= bits) & (vectors[kept] @ vectors[i] >= cosine))
        if len(same):
            standing.add(kept[same[0]])
        else:
            kept.append(i)
    return [candidates[i].marked(NAME) if i in standing else candidates[i] for i in kept]
