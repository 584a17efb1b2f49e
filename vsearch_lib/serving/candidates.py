"""What passes between the services: plain data, so that each can run in a process of its own."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Self

from vsearch_lib.serving.ask import Answer, Sort
from vsearch_lib.vectors import Vectors


@dataclass(frozen=True)
class Facts:
    """The facts of an image, as the rows of an index have them; `phash` is 64 bits as 16 hex digits."""

    image_id: str
    owner_id: str
    visibility: str
    moderation: str
    phash: str
    uploaded_at: datetime
    tags: tuple[str, ...]
    source_uri: str | None

    @classmethod
    def of_row(cls, row: dict[str, Any]) -> Self:
        """Return the facts of a row of an index (columns of ROWS)."""
        return cls(**{**row, "tags": tuple(row["tags"] or ())})


@dataclass(frozen=True)
class Candidate:
    """An image that may be an answer.

    Attributes:
        cosine: similarity to the query; a vector that is stored in half precision may be a little longer than 1.
        vector: (d,), the stored one, if it was asked for.
        rules: names of the rules that changed its rank or kept it.
    """

    facts: Facts
    cosine: float
    vector: Vectors | None = field(default=None, repr=False, compare=False)
    rules: tuple[str, ...] = ()

    def marked(self, rule: str) -> Self:
        """Return the candidate with the name of a rule that changed its rank or kept it."""
        return self if rule in self.rules else replace(self, rules=(*self.rules, rule))

    def at_rank(self, rank: int) -> Answer:
        """Return the candidate as an answer."""
        f = self.facts
        cosine = round(min(self.cosine, 1.0), 5)
        return Answer(rank, f.image_id, cosine, f.tags, f.owner_id, f.uploaded_at, f.source_uri, self.rules)


@dataclass(frozen=True)
class Wish:
    """What is wanted of the answers to one query.

    Attributes:
        k: how many answers.
        viewer_id: the asker, None if anonymous.
        owner_id: if the asker wants images of one owner only.
        sort, copies: as in `Ask`.
        own_ids: of the images that the query is made of; they and their copies are no answers.
        own_phashes: of these images, or of the query's picture.
        cut_off: the least cosine of an answer, None if there is none.
    """

    k: int
    viewer_id: str | None = None
    owner_id: str | None = None
    sort: Sort = "similarity"
    copies: bool = False
    own_ids: frozenset[str] = frozenset()
    own_phashes: frozenset[str] = frozenset()
    cut_off: float | None = None
