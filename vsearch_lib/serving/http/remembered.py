"""The requests that were answered lately, so that feedback on them can be understood."""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock

from cachetools import TTLCache

from vsearch_lib.serving.ask import Answers, Ask, Fractions

_SESSION = re.compile(r"[A-Za-z0-9_-]{8,64}")


@dataclass(frozen=True)
class Remembered:
    """A request and its answers.

    Attributes:
        user_id: who asked: an id that the platform gave, or the session of a page; None if neither is known.
        query_image_id, query_upload_id: the query, of which one is None; both are if examples alone were given.
        variant: of the experiment that the user takes part in; None if there is none.
        refined: whether examples besides the query, or a crop of it, were asked for.
        positions: image id → rank.
        clicks: image id → the moment of its first click, and how long it was looked at (None: not known).
    """

    request_id: str
    user_id: str | None
    query_image_id: str | None
    query_upload_id: str | None
    crop: Fractions | None
    refined: bool
    version: str
    variant: str | None
    positions: Mapping[str, int]
    clicks: dict[str, tuple[datetime, int | None]] = field(default_factory=dict)


class RememberedRequests:
    """The last requests with at most `answers` together, none older than `minutes`; threads may share it."""

    def __init__(self, *, answers: int, minutes: float) -> None:
        self._requests: TTLCache[str, Remembered] = TTLCache(answers, 60 * minutes, getsizeof=_size)
        self._lock = Lock()

    def remember(
        self, ask: Ask, answers: Answers, *, session: str | None, upload_id: str | None, variant: str | None = None
    ) -> str:
        """Remember a request; return its id, which cannot be guessed."""
        request = Remembered(
            request_id=secrets.token_hex(16),
            user_id=ask.wanted.viewer_id or session,
            query_image_id=ask.image_id,
            query_upload_id=upload_id,
            crop=answers.crop,
            refined=bool(ask.like or ask.unlike or answers.crop),
            version=answers.version,
            variant=variant,
            positions={answer.image_id: answer.rank for answer in answers.answers},
        )
        if _size(request) <= self._requests.maxsize:
            with self._lock:
                self._requests[request.request_id] = request
        return request.request_id

    def get(self, request_id: str) -> Remembered | None:
        """Return a request, None if it is not remembered."""
        with self._lock:
            return self._requests.get(request_id)


def _size(request: Remembered) -> int:
    return 1 + len(request.positions)


def session_of(header: str | None) -> str | None:
    """Return the id of the session that a page names in X-Session, None if it names none.

    It begins with `session-`, so that no page can choose the id of a user of the platform.

    Raises:
        ValueError: the header is not an id.
    """
    if header is None:
        return None
    if not _SESSION.fullmatch(header):
        raise ValueError("the header X-Session must have 8 to 64 letters, digits, - or _")
    return f"session-{header}"
