"""The search service as an application: the front that programs and the page talk to."""

import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from fastapi import FastAPI

from vsearch_lib.config import Settings
from vsearch_lib.serving.http.application import application
from vsearch_lib.serving.http.cache import AnswerCache
from vsearch_lib.serving.http.feedback_routes import feedback_routes
from vsearch_lib.serving.http.following import Following
from vsearch_lib.serving.http.landing import LandedFeedback
from vsearch_lib.serving.http.metrics import Metrics
from vsearch_lib.serving.http.page_routes import interface_routes, page_routes
from vsearch_lib.serving.http.picture_routes import picture_routes
from vsearch_lib.serving.http.pictures import PictureReader, Thumbnails
from vsearch_lib.serving.http.query import FIELD_BYTES
from vsearch_lib.serving.http.remembered import RememberedRequests
from vsearch_lib.serving.http.routing import Routing
from vsearch_lib.serving.http.search_routes import Searching, search_routes
from vsearch_lib.serving.http.service import Service
from vsearch_lib.serving.http.status_routes import status_routes

_WITH_PICTURE = frozenset({"/search", "/look"})


def create_app(
    service: Service,
    settings: Settings,
    *,
    keys: Sequence[bytes] = (),
    open_canary: Callable[[], Service] | None = None,
) -> FastAPI:
    """Return the application: it searches `service`, follows the published version, and takes feedback.

    Args:
        keys: the API keys of those who may ask; if there are none, only this machine may.
        open_canary: opens the version of `serving.canary`, None if there is none. If it raises, it is called again
            every `serving.refresh_seconds`, and `service` answers everybody meanwhile.
    """
    serving = settings.serving
    metrics = Metrics()
    remembered = RememberedRequests(answers=serving.remembered_answers, minutes=serving.remembered_minutes)
    landed = LandedFeedback(settings.landing.uri, seconds=serving.feedback_seconds, max_events=serving.feedback_events)
    routing = Routing(service, serving.canary, open_canary)
    searching = Searching(
        routing,
        AnswerCache(serving.cached_answers),
        metrics,
        remembered,
        max_k=serving.max_k,
        threads=len(os.sched_getaffinity(0)),
    )

    def looked(problem: str | None) -> None:
        metrics.refreshed(service.version, failed=problem is not None)

    following = Following(service.refresh, serving.refresh_seconds, ended=looked)
    looks = [following]
    metrics.opened(service.version)
    if open_canary is not None:
        failed = f"the canary {serving.canary.version} cannot be opened, the published version answers everybody"
        looks.append(Following(routing.open, serving.refresh_seconds, ended=lambda _: None, failed=failed))
        looks[-1].look()
        metrics.watch("canary_open", "1 if the canary answers its share of the users", lambda: routing.is_open)
    metrics.watch("feedback_waiting", "Feedback that waits to be written", lambda: landed.waiting)
    metrics.watch("feedback_write_failures", "Writes of feedback that failed", lambda: landed.failures)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        landed.start()
        for look in looks:
            look.start()
        yield
        for look in looks:
            look.stop()
        landed.stop()

    def max_bytes(path: str) -> int:
        return FIELD_BYTES + (settings.image.max_bytes if path in _WITH_PICTURE else 0)

    app = application(serving, metrics, keys=keys, max_bytes=max_bytes, lifespan=lifespan)
    app.include_router(status_routes(lambda: service.version, lambda: following.problem, metrics))
    app.include_router(search_routes(searching))
    app.include_router(picture_routes(service, PictureReader(settings.lake.uri), Thumbnails(serving.cached_thumbnails)))
    app.include_router(feedback_routes(remembered, landed, metrics))
    app.include_router(page_routes())
    app.include_router(interface_routes(app))
    return app
