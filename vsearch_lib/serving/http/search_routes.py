"""Routes that search: by a picture, by an image of the catalogue, by examples; and what the model looks at."""

from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Annotated, Any, TypeVar

import anyio
from anyio import to_thread
from fastapi import APIRouter, Path, Query
from starlette.datastructures import UploadFile
from starlette.requests import Request

from vsearch_lib.errors import UnknownImage
from vsearch_lib.serving.ask import Ask
from vsearch_lib.serving.http import query
from vsearch_lib.serving.http.cache import AnswerCache
from vsearch_lib.serving.http.feedback import UploadIds
from vsearch_lib.serving.http.metrics import Metrics
from vsearch_lib.serving.http.problems import Problem
from vsearch_lib.serving.http.remembered import RememberedRequests, session_of
from vsearch_lib.serving.http.routing import Routing
from vsearch_lib.serving.http.shown import answers_json

_T = TypeVar("_T")
ImageId = Annotated[query.Text, Path(description="of an image of the catalogue")]


class Searching:
    """Answers queries on a few threads, from the cache if it can."""

    def __init__(
        self,
        routing: Routing,
        cache: AnswerCache,
        metrics: Metrics,
        remembered: RememberedRequests,
        *,
        max_k: int,
        threads: int,
    ) -> None:
        self.routing, self.max_k = routing, max_k
        self._cache, self._metrics, self._remembered = cache, metrics, remembered
        self._threads = anyio.CapacityLimiter(threads)
        self._upload_ids = UploadIds()

    async def on_thread(self, work: Callable[[], _T]) -> _T:
        """Do work that takes a processor on one of the threads."""
        return await to_thread.run_sync(work, limiter=self._threads)

    def answered(self, ask: Ask, session: str | None) -> dict[str, Any]:
        """Return the answers to a query as JSON; its feedback is taken for a while."""
        user = ask.wanted.viewer_id or session
        answers, from_cache, variant = self.routing.answers(
            ask, user, lambda service: self._cache.answers(ask, service.version, service.search)
        )
        self._metrics.searched(answers.timings_ms, from_cache=from_cache, variant=variant)
        upload_id = self._upload_ids.of(ask.picture)
        request_id = self._remembered.remember(ask, answers, session=session, upload_id=upload_id, variant=variant)
        return answers_json(answers, request_id, variant)


def search_routes(searching: Searching) -> APIRouter:
    """Return the routes."""
    routes = APIRouter()

    @routes.post("/search", openapi_extra=_body())
    async def search(request: Request) -> dict[str, Any]:
        """Search with a picture or a part of it (a form with the file `image`), or with images of the catalogue."""
        session = session_in(request)
        async with AsyncExitStack() as closing:
            fields, picture = await _fields(request, closing)
            asked = query.query_of(fields)
            return await searching.on_thread(
                lambda: searching.answered(asked.ask(_content(picture), max_k=searching.max_k), session)
            )

    @routes.get("/similar/{image_id:image_id}")
    async def similar(
        request: Request, image_id: ImageId, options: Annotated[query.Options, Query()]
    ) -> dict[str, Any]:
        """Search with an image of the catalogue."""
        session = session_in(request)
        query.check_k(options.k, searching.max_k)
        ask = Ask(
            image_id=image_id,
            k=options.k,
            wanted=options.wanted(),
            sort=options.sort,
            copies=options.copies,
            expand=options.expand,
        )
        return await searching.on_thread(lambda: searching.answered(ask, session))

    @routes.post("/look", openapi_extra=_body(answer_id={"type": "string", "description": "of an answer"}))
    async def look(request: Request) -> dict[str, Any]:
        """Say what the model looks at in the query and in an answer: rows of numbers 0 to 1, from top to bottom."""
        session = session_in(request)
        async with AsyncExitStack() as closing:
            fields, picture = await _fields(request, closing)
            answer_id = query.answer_id_of(fields)
            asked = query.query_of(fields)

            def looked() -> dict[str, Any]:
                ask = asked.ask(_content(picture), max_k=searching.max_k)
                named = [image_id for image_id in (answer_id, ask.image_id) if image_id is not None]
                seen = searching.routing.control.facts(named, asked.user_id)
                for argument, image_id in (("answer_id", answer_id), ("image_id", ask.image_id)):
                    if image_id is not None and image_id not in seen:
                        raise UnknownImage(argument, image_id)
                maps = searching.routing.arm_of(asked.user_id or session).service.look(ask, answer_id)
                return {"query": {"values": maps.query}, "answer": {"values": maps.answer}}

            return await searching.on_thread(looked)

    return routes


def session_in(request: Request) -> str | None:
    """Return the session that the page names, None if it names none.

    Raises:
        Problem: it is not the id of a session.
    """
    try:
        return session_of(request.headers.get("x-session"))
    except ValueError as error:
        raise Problem(400, str(error)) from None


def _body(**more: dict[str, str]) -> dict[str, Any]:
    """Return the description of a body that is a form with a picture, or JSON."""
    schema = query.Query.model_json_schema()
    as_json = {**schema, "properties": {**schema["properties"], **more}}
    picture = {"image": {"type": "string", "format": "binary", "description": "the picture to search with"}}
    as_form = {**as_json, "properties": {**picture, **as_json["properties"]}}
    content = {"multipart/form-data": {"schema": as_form}, "application/json": {"schema": as_json}}
    return {"requestBody": {"required": True, "content": content}}


async def _fields(request: Request, closing: AsyncExitStack) -> tuple[dict[str, Any], UploadFile | None]:
    fields, picture = await query.read_fields(request)
    if picture is not None:
        closing.push_async_callback(picture.close)
    return fields, picture


def _content(picture: UploadFile | None) -> bytes | None:
    """Return the bytes of a picture, which lies on the disk if it is large, so that waiting requests take no memory."""
    return None if picture is None else picture.file.read()
