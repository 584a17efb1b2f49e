"""Routes for who runs a service: is it alive, is it ready, with which version, and its figures."""

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from vsearch_lib.serving.http.metrics import CONTENT_TYPE, Metrics

# Answered without a key, and however many requests are in work.
OPEN = frozenset({"/health", "/ready"})
ALWAYS = OPEN | {"/version", "/metrics"}


def status_routes(version: Callable[[], str], problem: Callable[[], str | None], metrics: Metrics) -> APIRouter:
    """Return the routes; `problem` returns why a newer version than `version` could not be opened, None if it could."""
    routes = APIRouter()

    @routes.get("/health")
    async def health() -> dict[str, Any]:
        """Say that the service runs."""
        return {"status": "alive"}

    @routes.get("/ready")
    async def ready() -> dict[str, Any]:
        """Say that an index is open, and whether following the published version fails."""
        return {"status": "ready", "version": version(), "refresh_failing": problem() is not None}

    @routes.get("/version")
    async def served() -> dict[str, Any]:
        """Return the version that is served, and why a newer one could not be opened."""
        return {"version": version(), "problem": problem()}

    @routes.get("/metrics", response_class=Response)
    async def figures() -> Response:
        """Return the figures of the service for Prometheus."""
        return Response(metrics.page(), media_type=CONTENT_TYPE)

    return routes
