"""One line for the asker about the answers."""

from collections.abc import Mapping, Sequence

from vsearch_lib.serving.candidates import Wish
from vsearch_lib.serving.ranking import Ranked

_NAMED_COPIES = 3
_WHY = {
    "own_copies": "copies of the query",
    "near_duplicates": "copies of other answers",
    "similar_enough": "not similar enough",
    "owner_limit": "more of the same owners",
}


def note_of(ranked: Ranked, wish: Wish) -> str | None:
    """Return a line that names copies of the query, and says why there are fewer than k answers; None for neither.

    It does not speak of images that the asker may not see.
    """
    parts = []
    copies = [image_id for image_id in ranked.dropped.get("own_copies", ()) if image_id not in wish.own_ids]
    if copies:
        named = ", ".join(copies[:_NAMED_COPIES]) + (" …" if len(copies) > _NAMED_COPIES else "")
        parts.append(f"the catalogue has this picture: {named}; ask for copies to see them among the answers")
    if len(ranked.answers) < wish.k:
        parts.append(_why_fewer(len(ranked.answers), ranked.dropped))
    return "; ".join(parts) or None


def _why_fewer(answers: int, dropped: Mapping[str, Sequence[str]]) -> str:
    reasons = [
        f"{_WHY.get(rule, rule)} ({len(ids)})"
        for rule, ids in dropped.items()
        if ids and rule not in ("visible", "own_copies")
    ]
    found = f"only {answers} found" if answers else "nothing found"
    return f"{found}; left out: {', '.join(reasons)}" if reasons else f"{found}: no other image matches"
