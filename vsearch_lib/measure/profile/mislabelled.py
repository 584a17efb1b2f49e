"""Tags with which an image's neighbours disagree: candidates for a look, not a verdict."""

import math
from collections import Counter
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Literal

import numpy as np

from vsearch_lib.search.searcher import Searcher

NEIGHBOURS = 10
_SAMPLE = 1000  # images
_SEED = 17
_MIN_IMAGES = 10  # of a tag in the sample, on either side, from which its typical shares are known
_MIN_CONTRAST = 0.5  # between the shares of images with a tag and without: less, and it is not about what is seen


@dataclass(frozen=True)
class Doubt:
    """A tag that an image has (`wrong`) or lacks (`missing`) unlike its neighbours, of which `share` have it."""

    image_id: str
    tag: str
    kind: Literal["wrong", "missing"]
    share: float


@dataclass(frozen=True)
class Doubts:
    """The doubts about a sample of `n` images, the surest first."""

    found: list[Doubt]
    n: int


def doubtful_tags(searcher: Searcher) -> Doubts:
    """Return the doubts about a seeded sample of the images that everybody may see, by their answers in the index."""
    visible = searcher.visible_ids()
    rows = np.random.default_rng(_SEED).choice(visible, size=min(_SAMPLE, len(visible)), replace=False)
    if len(rows) < 2:
        return Doubts([], 0)
    hits = searcher.search(searcher.vectors(rows), min(NEIGHBOURS + 1, len(visible)))
    near = [
        [int(row) for row in ids if row not in (own, -1)][:NEIGHBOURS] for own, ids in zip(rows, hits.ids, strict=True)
    ]
    named = sorted({*rows.tolist(), *(row for ids in near for row in ids)})
    facts = dict(zip(named, searcher.describe(np.array(named)), strict=True))
    tags = {row: frozenset(fact["tags"] or ()) for row, fact in facts.items()}
    ids = [facts[row]["image_id"] for row in rows.tolist()]
    around = [[tags[row] for row in of_one] for of_one in near]
    return Doubts(doubts_of(ids, [tags[row] for row in rows.tolist()], around), len(rows))


def doubts_of(
    ids: Sequence[str], tags: Sequence[AbstractSet[str]], around: Sequence[Sequence[AbstractSet[str]]]
) -> list[Doubt]:
    """Return the doubts about images with `tags`, whose neighbours have the tags `around`.

    The share of neighbours with a tag is how probable it is. A tag is in doubt if it is not more probable than it is on
    average for images without it, and is missing if it is not less probable than on average for images with it: the
    thresholds of confident learning (Northcutt et al. 2021), for each tag as a class of its own, rounded to whole
    neighbours in favour of a look. Tags that neighbours do not share, such as `new`, are left out.
    """
    shares = [{tag: n / len(near) for tag, n in Counter(t for one in near for t in one).items()} for near in around]
    frequent = Counter(tag for one in tags for tag in one)
    doubts: list[Doubt] = []
    for tag, holders in sorted(frequent.items()):
        if min(holders, len(tags) - holders) < _MIN_IMAGES:
            continue
        share = np.array([of_one.get(tag, 0.0) for of_one in shares])
        has = np.array([tag in one for one in tags])
        typical_with, typical_without = float(share[has].mean()), float(share[~has].mean())
        if typical_with - typical_without < _MIN_CONTRAST:
            continue
        few, many = math.ceil(typical_without * NEIGHBOURS), math.floor(typical_with * NEIGHBOURS)
        wrong, missing = has & (share <= few / NEIGHBOURS), ~has & (share >= many / NEIGHBOURS)
        doubts += [Doubt(ids[i], tag, "wrong", float(share[i])) for i in np.flatnonzero(wrong)]
        doubts += [Doubt(ids[i], tag, "missing", float(share[i])) for i in np.flatnonzero(missing)]
    return sorted(doubts, key=lambda doubt: (doubt.share if doubt.kind == "wrong" else 1 - doubt.share, doubt.image_id))
