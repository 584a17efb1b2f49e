"""The route of feedback."""

from typing import Any

from fastapi import APIRouter
from pydantic import ValidationError
from starlette.requests import Request

from vsearch_lib.serving.http.feedback import Feedback, land
from vsearch_lib.serving.http.landing import LandedFeedback
from vsearch_lib.serving.http.metrics import Metrics
from vsearch_lib.serving.http.problems import Problem, first_problem
from vsearch_lib.serving.http.query import json_object
from vsearch_lib.serving.http.remembered import RememberedRequests
from vsearch_lib.serving.http.search_routes import session_in


def feedback_routes(remembered: RememberedRequests, landed: LandedFeedback, metrics: Metrics) -> APIRouter:
    """Return the route."""
    routes = APIRouter()
    body = {"required": True, "content": {"application/json": {"schema": Feedback.model_json_schema()}}}

    @routes.post("/feedback", status_code=202, openapi_extra={"requestBody": body})
    async def feedback(request: Request) -> dict[str, Any]:
        """Take what a person did with an answer: saw it, opened it, looked at it for a while, or judged it."""
        session = session_in(request)
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json":
            # A form could be sent by a page of another site.
            raise Problem(415, "send JSON (application/json)")
        try:
            event = Feedback.model_validate(json_object(await request.body()))
        except ValidationError as error:
            raise first_problem(error.errors(include_url=False, include_input=False, include_context=False)) from None
        note = land(event, remembered.get(event.request_id), session, landed)
        metrics.fed_back(event.type)
        return {"stored": note is None, "note": note}

    return routes
