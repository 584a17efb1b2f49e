"""Nobody sees a blocked image, and only its owner sees a private one. The search has left them out already."""

from collections.abc import Sequence

from vsearch_lib.eligibility import may_see
from vsearch_lib.serving.candidates import Candidate, Wish


def visible(candidates: Sequence[Candidate], wish: Wish) -> list[Candidate]:
    """Return the candidates that the asker may see, by their facts."""
    return [candidate for candidate in candidates if may_see(candidate.facts, wish.viewer_id)]
