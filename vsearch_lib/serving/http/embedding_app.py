"""The embedding service as an application of its own: it embeds with the model of the published index."""

from collections.abc import Callable, Sequence
from typing import Any

from anyio import to_thread
from cachetools import LRUCache
from fastapi import FastAPI

from vsearch_lib.artefact.manifest import ModelEntry
from vsearch_lib.config import Settings
from vsearch_lib.serving.embedding import Embedding
from vsearch_lib.serving.http.application import application
from vsearch_lib.serving.http.metrics import Metrics
from vsearch_lib.serving.http.problems import Problem
from vsearch_lib.serving.http.query import FIELD_BYTES
from vsearch_lib.serving.http.status_routes import status_routes
from vsearch_lib.serving.http.wire import Embed, as_bytes, vectors_as_text

_MODELS = 3  # of the published index, the one before it, with which queries may have begun, and the canary's


class Models:
    """The models that the published index uses and used; the first is loaded at once."""

    def __init__(
        self,
        published: Callable[[], ModelEntry],
        embedding_of: Callable[[ModelEntry], Embedding],
        canary: Callable[[], ModelEntry | None] = lambda: None,
    ) -> None:
        """Load the model that `published` names; that of `canary` is loaded when it is asked for first.

        Raises:
            ArtefactError: nothing is published, or the model does not verify.
        """
        self._published, self._embedding_of, self._canary = published, embedding_of, canary
        self._models: LRUCache[str, Embedding] = LRUCache(_MODELS)
        self.latest = ""
        self._open_published()

    def named(self, version: str) -> Embedding:
        """Return a model; if it is not open, the published index is asked for its model, which is opened.

        Raises:
            Problem: the published index has another model.
        """
        if version not in self._models:
            self._open_published()
        if version not in self._models and (entry := self._canary()) and entry.version == version:
            self._open(entry)
        if version not in self._models:
            raise Problem(409, f"the published index has the model {self.latest}; this one is not open")
        return self._models[version]

    def _open_published(self) -> None:
        entry = self._published()
        if entry.version not in self._models:
            self._open(entry)
        self.latest = entry.version

    def _open(self, entry: ModelEntry) -> None:
        embedding = self._embedding_of(entry)
        embedding.load()
        self._models[entry.version] = embedding


def embedding_app(models: Models, settings: Settings, *, keys: Sequence[bytes] = ()) -> FastAPI:
    """Return the application; only the front talks to it."""
    metrics = Metrics()

    def max_bytes(path: str) -> int:
        return FIELD_BYTES + 2 * settings.image.max_bytes

    app = application(settings.serving, metrics, keys=keys, max_bytes=max_bytes)
    app.include_router(status_routes(lambda: models.latest, lambda: None, metrics))

    async def on_thread(asked: Embed, count: int, work: Callable[..., dict[str, Any]]) -> dict[str, Any]:
        if len(asked.jpegs) != count:
            raise Problem(400, f"jpegs: {count} pictures are wanted")

        def done() -> dict[str, Any]:
            model = models.named(asked.model_version)
            try:
                return work(model, *map(as_bytes, asked.jpegs))
            except ValueError as error:
                raise Problem(422, str(error)) from None

        return await to_thread.run_sync(done)

    @app.post("/embed")
    async def embed(asked: Embed) -> dict[str, Any]:
        """Return the unit vectors of pictures in the form that is stored."""

        def embedded(model: Embedding, *jpegs: bytes) -> dict[str, Any]:
            return {"vectors": vectors_as_text(model.embed(jpegs))}

        return await on_thread(asked, len(asked.jpegs), embedded)

    @app.post("/embed_and_suggest")
    async def embed_and_suggest(asked: Embed) -> dict[str, Any]:
        """Return the unit vector of a picture, and the box of its main object as fractions, or null."""

        def embedded(model: Embedding, jpeg: bytes) -> dict[str, Any]:
            vector, crop = model.embed_and_suggest(jpeg)
            return {"vectors": vectors_as_text(vector), "crop": crop}

        return await on_thread(asked, 1, embedded)

    @app.post("/look")
    async def look(asked: Embed) -> dict[str, Any]:
        """Return what the model looks at in a query and in an answer, or null if its network cannot tell."""

        def looked(model: Embedding, query: bytes, answer: bytes) -> dict[str, Any]:
            seen = model.look(query, answer)
            return {"maps": None if seen is None else [seen.query, seen.answer]}

        return await on_thread(asked, 2, looked)

    @app.post("/load")
    async def load(asked: Embed) -> dict[str, Any]:
        """Make a model ready."""
        await to_thread.run_sync(models.named, asked.model_version)
        return {}

    return app
