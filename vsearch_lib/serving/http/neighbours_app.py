"""The neighbours service as an application of its own: it follows and searches the published index."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from threading import Lock
from typing import Any

import numpy as np
from anyio import to_thread
from cachetools import LRUCache
from fastapi import FastAPI

from vsearch_lib.config import Settings
from vsearch_lib.serving.http.application import application
from vsearch_lib.serving.http.following import Following
from vsearch_lib.serving.http.metrics import Metrics
from vsearch_lib.serving.http.problems import Problem
from vsearch_lib.serving.http.query import FIELD_BYTES
from vsearch_lib.serving.http.status_routes import status_routes
from vsearch_lib.serving.http.wire import Find, Known, facts_as_json, vectors_as_text, vectors_of
from vsearch_lib.serving.neighbours import Neighbours, NeighboursSource
from vsearch_lib.vectors import Vectors

_VERSIONS = 3  # the published one and those before it, with which queries of the front may have begun
_BODY_BYTES = 16 * FIELD_BYTES


class OpenVersions:
    """The versions that were served last, by name; they share the shards that did not change."""

    def __init__(
        self, source: NeighboursSource, openable: Mapping[str, Callable[[], NeighboursSource]] | None = None
    ) -> None:
        """Keep the versions of `source`; `openable`: version → what opens it when it is asked for first."""
        self._source = source
        self._openable, self._opened = openable or {}, dict[str, Neighbours]()
        self._opening = Lock()
        self._open: LRUCache[str, Neighbours] = LRUCache(_VERSIONS)
        self._keep()

    def refresh(self) -> bool:
        """Open the published version if it is another one; return whether it was."""
        changed = self._source.refresh()
        self._keep()
        return changed

    def latest(self) -> Neighbours:
        """Return the version that was opened last."""
        return self._source.latest()

    def named(self, version: str) -> Neighbours:
        """Return a version; a Problem if it is no longer open."""
        found = self._open.get(version) or self._pinned(version)
        if found is None:
            raise Problem(409, f"the version {version} is not open here; {self.latest().version} is")
        return found

    def _pinned(self, version: str) -> Neighbours | None:
        if version not in self._openable:
            return None
        with self._opening:
            if version not in self._opened:
                self._opened[version] = self._openable[version]().latest()
            return self._opened[version]

    def _keep(self) -> None:
        latest = self._source.latest()
        self._open[latest.version] = latest


def neighbours_app(versions: OpenVersions, settings: Settings, *, keys: Sequence[bytes] = ()) -> FastAPI:
    """Return the application; only the front talks to it."""
    metrics = Metrics()

    def looked(problem: str | None) -> None:
        metrics.refreshed(versions.latest().version, failed=problem is not None)

    following = Following(versions.refresh, settings.serving.refresh_seconds, ended=looked)
    metrics.opened(versions.latest().version)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        following.start()
        yield
        following.stop()

    app = application(settings.serving, metrics, keys=keys, max_bytes=lambda path: _BODY_BYTES, lifespan=lifespan)
    app.include_router(status_routes(lambda: versions.latest().version, lambda: following.problem, metrics))

    @app.get("/latest")
    async def latest(version: str | None = None) -> dict[str, Any]:
        """Return the version that is searched, or the one that is named: its model, and how similar strangers are."""
        opened = versions.latest() if version is None else await to_thread.run_sync(versions.named, version)
        strangers = opened.strangers.fields() if opened.strangers else None
        return {"version": opened.version, "model": asdict(opened.model), "strangers": strangers}

    @app.post("/find")
    async def find(asked: Find) -> dict[str, Any]:
        """Return the images that are most similar to a unit vector."""

        def found() -> dict[str, Any]:
            version = versions.named(asked.version)
            try:
                query = vectors_of(asked.query, 1)[0]
                candidates = version.find(query, asked.depth, asked.wanted.as_filter(), vectors=asked.vectors)
            except ValueError as error:
                raise Problem(400, f"query: {error}") from None
            return {
                "facts": facts_as_json([candidate.facts for candidate in candidates]),
                "cosines": [candidate.cosine for candidate in candidates],
                "vectors": _joined([c.vector for c in candidates]) if asked.vectors else None,
            }

        return await to_thread.run_sync(found)

    @app.post("/known")
    async def known(asked: Known) -> dict[str, Any]:
        """Return those of the images that the viewer may see, with their vectors."""

        def found() -> dict[str, Any]:
            images = versions.named(asked.version).known(asked.image_ids, asked.viewer_id).values()
            return {
                "facts": facts_as_json([image.facts for image in images]),
                "vectors": _joined([image.vector for image in images]),
            }

        return await to_thread.run_sync(found)

    @app.get("/random_ids")
    async def random_ids(version: str, k: int) -> dict[str, Any]:
        """Return the ids of random images that everybody may see."""
        return {"ids": await to_thread.run_sync(versions.named(version).random_ids, k)}

    return app


def _joined(vectors: Sequence[Vectors | None]) -> str:
    return vectors_as_text(np.array(vectors, dtype=np.float32))
