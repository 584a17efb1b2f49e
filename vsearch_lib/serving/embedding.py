"""The embedding service: stored pictures → vectors, by the model of an index."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import BoundedSemaphore, Lock
from typing import TYPE_CHECKING, Protocol, TypeGuard

import numpy as np

from vsearch_lib.artefact.content import digest
from vsearch_lib.artefact.manifest import Manifest, ModelEntry
from vsearch_lib.errors import ArtefactError
from vsearch_lib.serving.ask import Fractions
from vsearch_lib.serving.look import Look, look, suggested_crop
from vsearch_lib.storage import open_store
from vsearch_lib.vectors import Vectors

if TYPE_CHECKING:  # a query with an image of the catalogue needs no network
    from vsearch_lib.encoder.activation import LocatingEmbedder
    from vsearch_lib.encoder.embed import Embedder
    from vsearch_lib.models.load import Model


class Embedding(Protocol):
    """Embeds with one model."""

    @property
    def model_version(self) -> str:
        """The version of the model."""

    def load(self) -> None:
        """Make the model ready, so that the first query does not wait for it.

        Raises:
            ArtefactError: the model is missing, or is not the one that the index was built with.
        """

    def embed(self, jpegs: Sequence[bytes]) -> Vectors:
        """Return (n, d) float32 unit vectors of n pictures in the form that is stored.

        Raises:
            ArtefactError: as `load` does.
            ValueError: a picture has no vector.
        """

    def embed_and_suggest(self, jpeg: bytes) -> tuple[Vectors, Fractions | None]:
        """Return the unit vector (d,) of a picture and the box of its main object, None if nothing stands out.

        Raises: as `embed` does.
        """

    def look(self, query: bytes, answer: bytes) -> Look | None:
        """Return what the model looks at in two pictures; None if its network cannot tell.

        Raises: as `embed` does.
        """


class LocalEmbedding:
    """Embeds in this process, `threads` pictures at a time, each on one core.

    Pictures of concurrent queries are not joined into batches: on processors a batch of 4 took as long as four batches
    of 1 (docs/decisions.md).
    """

    def __init__(self, entry: ModelEntry, *, threads: int) -> None:
        self._entry = entry
        self._model: Model | None = None
        self._loading = Lock()
        self._free = BoundedSemaphore(threads)
        self._idle: list[Embedder] = []  # at most one thread may use each

    @property
    def model_version(self) -> str:
        """The version of the model."""
        return self._entry.version

    def load(self) -> None:
        """Make the model ready; further threads make their own copy of it when they are needed first."""
        with self._loading:
            if self._model is None:
                self._model = checked_model(self._entry)
                self._idle.append(self._embedder())

    def embed(self, jpegs: Sequence[bytes]) -> Vectors:
        """Return (n, d) float32 unit vectors of n pictures in the form that is stored."""
        with self._borrowed() as embedder:
            return np.asarray(embedder.embed(jpegs))

    def embed_and_suggest(self, jpeg: bytes) -> tuple[Vectors, Fractions | None]:
        """Return the unit vector (d,) of a picture and the box of its main object, None if nothing stands out."""
        with self._borrowed() as embedder:
            if not _locates(embedder):
                return np.asarray(embedder.embed([jpeg])[0]), None
            seen = embedder.locate(jpeg)
            return seen.vector, suggested_crop(embedder, jpeg, seen)

    def look(self, query: bytes, answer: bytes) -> Look | None:
        """Return what the model looks at in two pictures; None if its network cannot tell."""
        with self._borrowed() as embedder:
            return look(embedder, query, answer) if _locates(embedder) else None

    @contextmanager
    def _borrowed(self) -> "Iterator[Embedder]":
        self.load()
        with self._free:
            try:
                embedder = self._idle.pop()
            except IndexError:
                embedder = self._embedder()
            try:
                yield embedder
            finally:
                self._idle.append(embedder)

    def _embedder(self) -> "Embedder":
        assert self._model is not None
        return self._model.locating_embedder(threads=1) or self._model.embedder(batch_size=1, threads=1)


def _locates(embedder: "Embedder") -> "TypeGuard[LocatingEmbedder]":
    from vsearch_lib.encoder.activation import LocatingEmbedder

    return isinstance(embedder, LocatingEmbedder)


def checked_model(entry: ModelEntry) -> "Model":
    """Load a model, after checking that it is the one that a manifest names.

    Raises:
        ArtefactError: a file of the model is missing or has another sha256.
    """
    from vsearch_lib.models.load import load_model
    from vsearch_lib.models.registry import CARD

    if digest(open_store(entry.uri).read(f"{entry.version}/{CARD}")) != entry.files.get(CARD):
        raise ArtefactError(
            f"{entry.uri}/{entry.version}/{CARD} is not the one that the index was built with: restore it"
        )
    return load_model(entry.uri, entry.version)


def model_of(manifest: Manifest) -> "Embedder":
    """Load the model of an index to embed one picture at a time, as `checked_model` does."""
    return checked_model(manifest.model).embedder(batch_size=1)
