"""Every error is answered as one line of JSON: `{"error": "what is wrong and what to do next"}`."""

from collections.abc import Iterable, Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from vsearch_lib.errors import UnknownImage, UsageError, VsearchError
from vsearch_lib.serving.query import RefusedQuery
from vsearch_lib.terminal import printable

_MAX_CHARACTERS = 500
_LINES = {404: "there is nothing at this address; see /docs", 405: "this address does not take this method; see /docs"}


class Problem(Exception):
    """Raised when a request is not answered; `status` is that of the HTTP response."""

    def __init__(self, status: int, line: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(line)
        self.status, self.line, self.headers = status, line, headers


def problem_response(problem: Problem) -> JSONResponse:
    """Return the response to a request that is not answered."""
    line = printable(problem.line)[:_MAX_CHARACTERS]
    return JSONResponse({"error": line}, problem.status, headers=problem.headers)


def first_problem(errors: Iterable[Mapping[str, Any]]) -> Problem:
    """Return the first of pydantic's errors as a problem with the request."""
    error = next(iter(errors))
    location = [str(part) for part in error["loc"]]
    place = ".".join(location[1:] if len(location) > 1 and location[0] in ("query", "body", "path") else location)
    what = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        what = "there is no such field; see /docs"
    return Problem(400, f"{place}: {what}" if place else what)


def _status(error: Exception) -> int:
    if isinstance(error, UnknownImage):
        return 404
    if isinstance(error, RefusedQuery):
        return {"too_many_bytes": 413, "unsupported_format": 415}.get(error.reason, 400)
    return 400 if isinstance(error, UsageError) else 503


def answer_problems(app: FastAPI) -> None:
    """Make `app` answer every error as one line."""

    async def known(_: Request, error: Exception) -> Response:
        assert isinstance(error, Problem)
        return problem_response(error)

    async def of_starlette(_: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        line = _LINES.get(error.status_code, str(error.detail))
        return problem_response(Problem(error.status_code, line, error.headers))

    async def invalid(_: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return problem_response(first_problem(error.errors()))

    async def of_the_library(_: Request, error: Exception) -> Response:
        return problem_response(Problem(_status(error), str(error)))

    async def gone(_: Request, __: Exception) -> Response:
        return Response(status_code=400)  # nobody reads it

    async def fault(_: Request, error: Exception) -> Response:
        return problem_response(Problem(500, f"a fault of the service ({type(error).__name__}); its log has the trace"))

    app.add_exception_handler(Problem, known)
    app.add_exception_handler(HTTPException, of_starlette)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(VsearchError, of_the_library)
    app.add_exception_handler(ClientDisconnect, gone)
    app.add_exception_handler(Exception, fault)
