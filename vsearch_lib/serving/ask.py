"""What a person asks the service, and what it answers."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from vsearch_lib.search.filter import Filter

Fractions = tuple[float, float, float, float]  # x, y, width, height of a part, as fractions of the picture's sides
Sort = Literal["similarity", "newest"]


@dataclass(frozen=True)
class Crop:
    """A part of a picture, in pixels of the upright original, or in fractions of its sides if all are at most 1."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Ask:
    """A query: a picture, an image of the catalogue, or examples, and what is wanted.

    At least one of `picture`, `image_id` and `like` is given.

    Attributes:
        picture: the bytes of a picture, in any format that ingestion takes.
        image_id: of an image of the catalogue, in place of a picture.
        crop: the part of the picture, or of the image, that is meant; None for all of it.
        like, unlike: ids of images of the catalogue that answers should, or should not, look like.
        k: how many answers are wanted.
        wanted: what an answer must be; `wanted.viewer_id` is the asker.
        sort: the order of the answers, after the most similar ones were chosen.
        copies: whether exact copies, near-duplicates and the query itself may be answers.
        expand: whether the first answers are added to the query, and it is asked again.
    """

    picture: bytes | None = None
    image_id: str | None = None
    crop: Crop | None = None
    like: tuple[str, ...] = ()
    unlike: tuple[str, ...] = ()
    k: int = 10
    wanted: Filter = field(default_factory=Filter)
    sort: Sort = "similarity"
    copies: bool = False
    expand: bool = False


@dataclass(frozen=True)
class Answer:
    """An image that looks like the query.

    Attributes:
        rank: from 1.
        image_id, tags, owner_id, uploaded_at, source_uri: facts of the image; source_uri is None in older indexes.
        cosine: similarity to the query, at most 1.
        rules: names of the rules that changed its rank or kept it, e.g. `near_duplicates` if it stands for copies.
    """

    rank: int
    image_id: str
    cosine: float
    tags: tuple[str, ...]
    owner_id: str
    uploaded_at: datetime
    source_uri: str | None
    rules: tuple[str, ...] = ()


@dataclass(frozen=True)
class Timings:
    """Milliseconds that each service took."""

    embedding: float
    neighbours: float
    ranking: float


@dataclass(frozen=True)
class Answers:
    """The answers to an Ask, best first.

    Attributes:
        version: of the index that was searched.
        crop: the part that was searched with, as fractions; None for the whole picture.
        suggested_crop: the main object of an uploaded picture, None if there is no picture or nothing stands out.
        answers: at most k.
        note: one line for the asker, for example why there are fewer than k; None if there is nothing to say.
        timings_ms: of the services.
    """

    version: str
    crop: Fractions | None
    suggested_crop: Fractions | None
    answers: tuple[Answer, ...]
    note: str | None
    timings_ms: Timings
