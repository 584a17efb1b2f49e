"""No owner fills the page."""

from collections import Counter
from collections.abc import Sequence

from vsearch_lib.serving.candidates import Candidate, Wish

NAME = "owner_limit"


def owner_limit(candidates: Sequence[Candidate], wish: Wish, *, limit: int | None) -> list[Candidate]:
    """Return the first `limit` candidates of each owner, and mark those of owners who have more.

    It does not apply if the asker wants the images of one owner.
    """
    if limit is None or wish.owner_id is not None:
        return list(candidates)
    of_owner = Counter(candidate.facts.owner_id for candidate in candidates)
    kept: Counter[str] = Counter()
    remaining = []
    for candidate in candidates:
        owner = candidate.facts.owner_id
        kept[owner] += 1
        if kept[owner] <= limit:
            remaining.append(candidate.marked(NAME) if of_owner[owner] > limit else candidate)
    return remaining
