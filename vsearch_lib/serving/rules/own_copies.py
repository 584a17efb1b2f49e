"""A query is not an answer to itself, and neither is a copy of it."""

from collections.abc import Sequence

import numpy as np

from vsearch_lib.serving.candidates import Candidate, Wish
from vsearch_lib.serving.rules.near_duplicates import as_bits, differing_bits

NAME = "own_copies"


def own_copies(candidates: Sequence[Candidate], wish: Wish, *, bits: int, cosine: float) -> list[Candidate]:
    """Return the candidates that are no image of the query, and no near-duplicate of one, as `near_duplicates` has it.

    The cosine is that to the whole query.
    """
    if wish.copies or not candidates:
        return list(candidates)
    hashes = as_bits([candidate.facts.phash for candidate in candidates])
    same_hash = np.zeros(len(candidates), dtype=bool)
    for own in as_bits(sorted(wish.own_phashes)):
        same_hash |= differing_bits(hashes, own) <= bits
    return [
        candidate
        for candidate, same in zip(candidates, same_hash, strict=True)
        if candidate.facts.image_id not in wish.own_ids and not (same and candidate.cosine >= cosine)
    ]
