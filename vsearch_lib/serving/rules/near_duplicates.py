"""Of images that look the same, the first one stands for all."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vsearch_lib.serving.candidates import Candidate, Wish

NAME = "near_duplicates"


def near_duplicates(candidates: Sequence[Candidate], wish: Wish, *, bits: int, cosine: float) -> list[Candidate]:
    """Return the candidates without near-duplicates of an earlier one, which is marked.

    Near-duplicates have perceptual hashes that differ in at most `bits` bits, and vectors with at least this `cosine`.
    The hash alone joins flat pictures and clothes that hang alike; the vector alone joins different photos of a thing.
    """
    if wish.copies or not candidates:
        return list(candidates)
    hashes = as_bits([candidate.facts.phash for candidate in candidates])
    vectors = np.stack([candidate.vector for candidate in candidates if candidate.vector is not None])
    kept: list[int] = []
    standing: set[int] = set()
    for i in range(len(candidates)):
        same = (differing_bits(hashes[kept], hashes[i]) <= bits) & (vectors[kept] @ vectors[i] >= cosine)
        if same.any():
            standing.add(kept[int(np.argmax(same))])
        else:
            kept.append(i)
    return [candidates[i].marked(NAME) if i in standing else candidates[i] for i in kept]


def as_bits(hashes: Sequence[str]) -> NDArray[np.uint8]:
    """Return hashes of 16 hex digits as (n, 64) bits."""
    return np.unpackbits(np.frombuffer(bytes.fromhex("".join(hashes)), dtype=np.uint8)).reshape(-1, 64)


def differing_bits(hashes: NDArray[np.uint8], other: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return in how many bits each of `hashes` (n, 64) differs from `other` (64,)."""
    return np.asarray(np.count_nonzero(hashes != other, axis=1))
