"""What the service measures of itself, for Prometheus. No figure counts images, so none counts private ones."""

import time
from collections.abc import Callable

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, Info, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vsearch_lib.serving.ask import Timings

CONTENT_TYPE = CONTENT_TYPE_LATEST
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """The figures of one service, in a registry of its own."""

    def __init__(self) -> None:
        registry = CollectorRegistry()
        self._version = ""
        self._registry = registry
        self.requests = Counter(
            "vsearch_requests", "Requests that were answered", ["route", "status"], registry=registry
        )
        self.request_seconds = Histogram(
            "vsearch_request_seconds", "Time to answer", ["route"], buckets=_SECONDS, registry=registry
        )
        self.in_flight = Gauge("vsearch_requests_in_flight", "Requests in work", registry=registry)
        self._service_seconds = Histogram(
            "vsearch_service_seconds", "Time in each service", ["service"], buckets=_SECONDS, registry=registry
        )
        self._cache = Counter("vsearch_cache_queries", "Queries by the cache's answer", ["result"], registry=registry)
        self._index = Info("vsearch_index", "The version that is searched", registry=registry)
        self._index_opened = Gauge("vsearch_index_opened_seconds", "When it was opened, Unix time", registry=registry)
        self._refresh_failures = Counter(
            "vsearch_refresh_failures", "Versions or looks for one that failed", registry=registry
        )
        self._refresh_failing = Gauge("vsearch_refresh_failing", "1 if the last refresh failed", registry=registry)
        self._variants = Counter(
            "vsearch_variant_queries", "Queries by variant of the experiment", ["variant"], registry=registry
        )
        self._feedback = Counter("vsearch_feedback", "Feedback that was taken", ["type"], registry=registry)

    def watch(self, name: str, text: str, value: Callable[[], float]) -> None:
        """Add a gauge that shows `value` at the time it is read."""
        Gauge(f"vsearch_{name}", text, registry=self._registry).set_function(value)

    def searched(self, timings: Timings, *, from_cache: bool, variant: str | None) -> None:
        """Count a query and the time in each service; without an experiment the variant is None."""
        self._variants.labels(variant or "none").inc()
        self._cache.labels("hit" if from_cache else "miss").inc()
        if not from_cache:
            for service in ("embedding", "neighbours", "ranking"):
                self._service_seconds.labels(service).observe(getattr(timings, service) / 1000)

    def opened(self, version: str) -> None:
        """Record that a version was opened."""
        self._version = version
        self._index.info({"version": version})
        self._index_opened.set_to_current_time()

    def refreshed(self, version: str, *, failed: bool) -> None:
        """Record how a look for another version ended, and the version that is searched after it."""
        if version != self._version:
            self.opened(version)
        self._refresh_failing.set(failed)
        if failed:
            self._refresh_failures.inc()

    def fed_back(self, kind: str) -> None:
        """Count feedback."""
        self._feedback.labels(kind).inc()

    def page(self) -> bytes:
        """Return all figures in Prometheus's text format."""
        return generate_latest(self._registry)


class Measured:
    """ASGI middleware that counts and times requests by route, not by path: paths have ids."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, and count it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 500
        began = time.perf_counter()

        async def sent(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        with self._metrics.in_flight.track_inprogress():
            try:
                await self._app(scope, receive, sent)
            finally:
                route = getattr(scope.get("route"), "path", "none")
                self._metrics.requests.labels(route, status).inc()
                self._metrics.request_seconds.labels(route).observe(time.perf_counter() - began)
