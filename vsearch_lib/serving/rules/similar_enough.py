"""An answer is more similar to the query than most strangers are to each other."""

from collections.abc import Sequence

from vsearch_lib.serving.candidates import Candidate, Wish

NAME = "similar_enough"


def similar_enough(candidates: Sequence[Candidate], wish: Wish) -> list[Candidate]:
    """Return the candidates that reach the cut-off, which was calibrated when the index was published."""
    if wish.cut_off is None:
        return list(candidates)
    return [candidate for candidate in candidates if candidate.cosine >= wish.cut_off]
