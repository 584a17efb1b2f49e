"""What people do with answers → interactions and judgements."""

import hashlib
import hmac
import secrets
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from vsearch_lib.serving.http.landing import FeedbackFull, LandedFeedback
from vsearch_lib.serving.http.problems import Problem
from vsearch_lib.serving.http.query import Text
from vsearch_lib.serving.http.remembered import Remembered

_DAY_MS = 86_400_000
_SCORES = {"up": 5, "down": 0}  # 0 (unrelated) to 5 (the same thing)
Kind = Literal["impression", "click", "dwell", "up", "down"]


class Feedback(BaseModel):
    """What a person did with an answer."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    request_id: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")] = Field(
        description="of the search that gave the answer"
    )
    image_id: Text = Field(description="of the answer")
    position: int = Field(ge=1, description="rank of the answer, from 1")
    type: Kind
    dwell_ms: int | None = Field(None, ge=0, le=_DAY_MS, description="for dwell: how long the answer was looked at")


class UploadIds:
    """Ids of uploaded pictures: the same for the same bytes while the service runs, and no one can compute them."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)

    def of(self, picture: bytes | None) -> str | None:
        """Return the id of a picture, None if there is none."""
        return None if picture is None else "upload-" + hmac.digest(self._key, picture, "sha256")[:12].hex()


def land(feedback: Feedback, request: Remembered | None, session: str | None, landed: LandedFeedback) -> str | None:
    """Let the record of `feedback` on `request` wait to be written.

    Returns:
        None, or one line that says why the landing zone has no place for it.

    Raises:
        Problem: the request is not remembered or did not give this answer, or nobody is named who asked.
    """
    if request is None:
        raise Problem(400, "request_id: no such request is remembered; feedback is taken for a while after a search")
    if request.positions.get(feedback.image_id) != feedback.position:
        raise Problem(400, "image_id and position: the search did not answer with this image at this position")
    if (feedback.type == "dwell") != (feedback.dwell_ms is not None):
        raise Problem(400, "dwell_ms: is given with the type dwell, and only then")
    user_id = request.user_id or session
    if user_id is None:
        raise Problem(400, "nobody is named who asked: send user_id with the search, or the header X-Session")
    try:
        if feedback.type in _SCORES:
            return _land_judgement(feedback, request, user_id, landed)
        return _land_interaction(feedback, request, user_id, landed)
    except FeedbackFull:
        raise Problem(429, "too much feedback waits to be written; try again later", {"Retry-After": "60"}) from None


def _land_judgement(feedback: Feedback, request: Remembered, user_id: str, landed: LandedFeedback) -> str | None:
    query = request.query_image_id
    if query is None or request.refined:
        return "a judgement is about two whole images of the catalogue: this one is not stored"
    if query == feedback.image_id:
        return "a judgement is about two images: this one is not stored"
    record = {"query_image_id": query, "image_id": feedback.image_id, "annotator": user_id}
    key = "\n".join(record.values())
    landed.add("judgements", key, {**record, "score": _SCORES[feedback.type]})
    return None


def _land_interaction(feedback: Feedback, request: Remembered, user_id: str, landed: LandedFeedback) -> str | None:
    if request.query_image_id is None and request.query_upload_id is None:
        return "the query was several examples, which an interaction cannot name: this one is not stored"
    moment, dwell_ms, kind = datetime.now(UTC), None, "impression"
    if feedback.type != "impression":
        # A dwell time belongs to the click before it, which may not have been reported.
        began = moment - timedelta(milliseconds=feedback.dwell_ms or 0), None
        moment, known = request.clicks.get(feedback.image_id, began)
        dwell_ms = max((time for time in (known, feedback.dwell_ms) if time is not None), default=None)
        request.clicks[feedback.image_id], kind = (moment, dwell_ms), "click"
    # Of events with one id the greatest is stored: the click with its dwell time replaces the click without.
    event_id = hashlib.sha256(f"{request.request_id}\n{kind}\n{feedback.image_id}".encode()).hexdigest()[:32]
    crop = dict(zip(("crop_x", "crop_y", "crop_width", "crop_height"), request.crop or (), strict=False))
    record = {
        "event_id": event_id,
        "user_id": user_id,
        "query_image_id": request.query_image_id,
        "query_upload_id": request.query_upload_id,
        **crop,
        "displayed_image_id": feedback.image_id,
        "position": feedback.position,
        "type": kind,
        "dwell_ms": dwell_ms,
        "occurred_at": moment.isoformat(timespec="milliseconds"),
        "request_id": request.request_id,
        "index_version": request.version,
        "variant": request.variant,
    }
    landed.add("interactions", event_id, {name: value for name, value in record.items() if value is not None})
    return None
