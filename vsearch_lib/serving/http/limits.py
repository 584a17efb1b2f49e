"""Limits on requests: how many are in work at once, how many bytes a body has, and how long it takes to arrive."""

import asyncio
from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vsearch_lib.serving.http.connections import HEADER_BYTES
from vsearch_lib.serving.http.problems import Problem, problem_response

# Of a body that is refused: so much is read and dropped, because a client that is still sending cannot read the answer.
_DROPPED_BYTES = 64_000_000
_CLOSE = {"Connection": "close"}


class Limits:
    """ASGI middleware. Excess requests get 429, bodies that are too large get 413, and slow ones 408.

    Args:
        max_requests: in work at once; `is_open` names paths that are answered even then.
        max_bytes: path → bytes that the body of a request may have.
        seconds: that a body may take.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        max_requests: int,
        is_open: Callable[[str], bool],
        max_bytes: Callable[[str], int],
        seconds: float,
    ) -> None:
        self._app, self._max_requests, self._is_open = app, max_requests, is_open
        self._max_bytes, self._seconds = max_bytes, seconds
        self._in_work = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        counted = not self._is_open(scope["path"])
        if len(scope["raw_path"]) + len(scope["query_string"]) > HEADER_BYTES or _length(scope) > HEADER_BYTES:
            await problem_response(Problem(431, "the address or the headers are too long", _CLOSE))(
                scope, receive, send
            )
            return
        body = _Body(scope, receive, limit=self._max_bytes(scope["path"]), seconds=self._seconds)
        if counted and self._in_work >= self._max_requests:
            await body.drop()
            busy = Problem(429, "the service is busy; try again in a second", {"Retry-After": "1", **_CLOSE})
            await problem_response(busy)(scope, receive, send)
            return
        self._in_work += counted
        try:
            await self._app(scope, body.receive, send)
        finally:
            self._in_work -= counted


def _length(scope: Scope) -> int:
    return sum(len(name) + len(value) + 4 for name, value in scope["headers"])


class _Body:
    """The body of a request as it arrives."""

    def __init__(self, scope: Scope, receive: Receive, *, limit: int, seconds: float) -> None:
        headers = dict(scope["headers"])
        declared = headers.get(b"content-length", b"")
        self._declared = int(declared) if declared.isdigit() else 0
        self._has_body = self._declared > 0 or b"transfer-encoding" in headers
        # Such a client sends the body only after it is asked to, which the first `receive` does.
        self._waits = headers.get(b"expect", b"").lower() == b"100-continue"
        self._receive, self._limit, self._seconds = receive, limit, seconds
        self._bytes, self._complete = 0, False
        self._deadline: float | None = None

    async def receive(self) -> Message:
        """Return the next message of the request.

        Raises:
            Problem: the body is too large, or takes too long.
        """
        if self._complete:
            return await self._receive()
        if self._declared > self._limit:
            await self.drop()
            raise self._too_large()
        message = await self._next()
        if self._bytes > self._limit:
            await self.drop()
            raise self._too_large()
        return message

    async def drop(self) -> None:
        """Read what is left of the body, within bounds, and forget it."""
        if self._waits and not self._bytes:
            return
        try:
            while self._has_body and not self._complete and self._bytes < _DROPPED_BYTES:
                await self._next()
        except Problem:
            pass

    async def _next(self) -> Message:
        now = asyncio.get_running_loop().time()
        self._deadline = self._deadline or now + self._seconds
        try:
            async with asyncio.timeout_at(self._deadline):
                message = await self._receive()
        except TimeoutError:
            line = f"the body of the request did not arrive within {self._seconds:g} seconds"
            raise Problem(408, line, _CLOSE) from None
        self._bytes += len(message.get("body", b""))
        self._complete = message["type"] != "http.request" or not message.get("more_body", False)
        return message

    def _too_large(self) -> Problem:
        return Problem(413, f"the body of the request is larger than {self._limit} bytes; send a smaller one", _CLOSE)
