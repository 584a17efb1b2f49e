"""A query is not an answer to itself, and neither is an exact copy of it."""

from collections.abc import Sequence

from vsearch_lib.serving.candidates import Candidate, Wish

# Of a picture and its vector in half precision, also if it was embedded again, alone or in a batch.
_SAME_COSINE = 0.998


def own_copies(candidates: Sequence[Candidate], wish: Wish) -> list[Candidate]:
    """Return the candidates that are no image of the query, and no copy of one: same perceptual hash, cosine about 1."""
    if wish.copies:
        return list(candidates)
    return [candidate for candidate in candidates if not _is_copy(candidate, wish)]


def _is_copy(candidate: Candidate, wish: Wish) -> bool:
    if candidate.facts.image_id in wish.own_ids:
        return True
    return candidate.facts.phash in wish.own_phashes and candidate.cosine >= _SAME_COSINE
