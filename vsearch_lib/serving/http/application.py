"""What the applications of all services share: limits, access, errors and figures."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from fastapi import FastAPI
from fastapi.middleware import Middleware
from starlette.convertors import Convertor, register_url_convertor
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vsearch_lib.config.settings import Serving
from vsearch_lib.serving.http.access import Access
from vsearch_lib.serving.http.limits import Limits
from vsearch_lib.serving.http.metrics import Measured, Metrics
from vsearch_lib.serving.http.problems import answer_problems
from vsearch_lib.serving.http.status_routes import ALWAYS, OPEN

_SECURITY = [(b"x-content-type-options", b"nosniff"), (b"referrer-policy", b"no-referrer")]


@asynccontextmanager
async def _nothing(_: FastAPI) -> AsyncIterator[None]:
    yield


def application(
    serving: Serving,
    metrics: Metrics,
    *,
    keys: Sequence[bytes],
    max_bytes: Callable[[str], int],
    lifespan: Callable[[FastAPI], AbstractAsyncContextManager[None]] = _nothing,
) -> FastAPI:
    """Return an application without routes.

    Args:
        keys: the API keys of those who may ask; if there are none, only this machine may.
        max_bytes: path → bytes that the body of a request may have.
    """
    app = FastAPI(
        title="vsearch",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        middleware=[
            Middleware(Measured, metrics=metrics),
            Middleware(_Secured),
            Middleware(Access, keys=keys, is_open=OPEN.__contains__),
            Middleware(
                Limits,
                max_requests=serving.max_requests,
                is_open=ALWAYS.__contains__,
                max_bytes=max_bytes,
                seconds=serving.request_seconds,
            ),
        ],
    )
    register_url_convertor("image_id", _ImageIdInUrl())
    answer_problems(app)
    return app


class _ImageIdInUrl(Convertor[str]):
    """The rest of a path, which may have slashes and ends of lines, as ids may."""

    regex = "(?s:.+)"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


class _Secured:
    """ASGI middleware: every response has headers that keep browsers from guessing types and telling addresses."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *_SECURITY]
            await send(message)

        await self._app(scope, receive, sent)
