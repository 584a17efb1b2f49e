"""The most similar images, the newest first, if the asker wants them so."""

from collections.abc import Sequence

from vsearch_lib.serving.candidates import Candidate, Wish

NAME = "newest"


def newest(candidates: Sequence[Candidate], wish: Wish) -> list[Candidate]:
    """Return the first k candidates sorted by upload, those that moved are marked, and then the others."""
    if wish.sort != "newest":
        return list(candidates)
    chosen = candidates[: wish.k]
    order = sorted(range(len(chosen)), key=lambda i: chosen[i].facts.uploaded_at, reverse=True)
    by_time = [chosen[i] if i == rank else chosen[i].marked(NAME) for rank, i in enumerate(order)]
    return [*by_time, *candidates[wish.k :]]
