"""The search service: a query → answers, by the three services of embedding, neighbours and ranking."""

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Self

import numpy as np

from vsearch_lib.artefact.manifest import ModelEntry
from vsearch_lib.config.settings import Settings
from vsearch_lib.errors import InvalidArgument, UnknownImage, UsageError
from vsearch_lib.serving.ask import Answers, Ask, Fractions, Timings
from vsearch_lib.serving.candidates import Candidate, Facts, Wish
from vsearch_lib.serving.embedding import Embedding, LocalEmbedding
from vsearch_lib.serving.examples import with_examples
from vsearch_lib.serving.expansion import ANSWERS, expanded
from vsearch_lib.serving.live import LiveIndex
from vsearch_lib.serving.look import Look
from vsearch_lib.serving.neighbours import LocalNeighboursSource, Neighbours, NeighboursSource, StoredImage
from vsearch_lib.serving.note import note_of
from vsearch_lib.serving.pictures import visible_pictures
from vsearch_lib.serving.query import QueryPicture, check_ask, limits_of, query_picture
from vsearch_lib.serving.ranking import Ranked, Ranking, RuleRanking
from vsearch_lib.vectors import Vectors

_SPARE = 20  # candidates beyond twice k, for rules to drop
_WIDER = 4  # times as many candidates, if rules leave too few


@dataclass(frozen=True)
class _Version:
    """A version of the index with its model: they change together, and a query keeps those that it began with."""

    neighbours: Neighbours
    embedding: Embedding


@dataclass
class _Clock:
    """Milliseconds that each service took for one query."""

    taken: dict[str, float] = field(default_factory=lambda: dict.fromkeys(("embedding", "neighbours", "ranking"), 0.0))

    @contextmanager
    def of(self, service: str) -> Iterator[None]:
        began = time.perf_counter()
        yield
        self.taken[service] += (time.perf_counter() - began) * 1000


class SearchService:
    """Answers queries with the published version. Threads may share it; only one of them may call `refresh`.

    Args:
        source: of the neighbours service.
        embedding_of: returns the embedding service for a model.
    """

    def __init__(
        self,
        settings: Settings,
        source: NeighboursSource,
        embedding_of: Callable[[ModelEntry], Embedding],
        ranking: Ranking,
    ) -> None:
        self._settings = settings
        self._limits = limits_of(settings)
        self._source = source
        self._embedding_of = embedding_of
        self._ranking = ranking
        latest = source.latest()
        self._version = _Version(latest, embedding_of(latest.model))

    @classmethod
    def open(cls, settings: Settings) -> Self:
        """Open the published version, with all services in this process; the model is loaded when it is needed first.

        Raises:
            ArtefactError: nothing is published, or what is published does not verify.
            UsageError: a rule of the deployer's own cannot be imported.
        """
        ranking = RuleRanking(settings.serving)
        source = LocalNeighboursSource(LiveIndex(settings.index.uri, cache=settings.cache))
        threads = len(os.sched_getaffinity(0))
        return cls(settings, source, lambda entry: LocalEmbedding(entry, threads=threads), ranking)

    @property
    def version(self) -> str:
        """The version that is searched."""
        return self._version.neighbours.version

    def load(self) -> None:
        """Load the model, so that the first query with a picture does not wait for it.

        Raises:
            ArtefactError: the model is missing, or is not the one that the index was built with.
        """
        self._version.embedding.load()

    def refresh(self) -> bool:
        """If another version is published, search it from now on; return whether it is.

        Raises:
            ArtefactError: it does not verify, or its model does not; the old version is searched on.
        """
        self._source.refresh()
        latest, before = self._source.latest(), self._version
        if latest.version == before.neighbours.version:
            return False
        same_model = latest.model == before.neighbours.model
        embedding = before.embedding if same_model else self._embedding_of(latest.model)
        embedding.load()
        self._version = _Version(latest, embedding)
        return True

    def search(self, ask: Ask, *, picture: QueryPicture | None = None) -> Answers:
        """Return the answers to a query; `picture` is what `crop_of` returned for it, if that is known already.

        Raises:
            UnknownImage: an image that the query names does not exist, or the asker may not see it.
            InvalidArgument: the query has nothing to search with, or a crop that does not fit its picture.
            RefusedQuery: its picture is not accepted.
            ArtefactError: the model or the lake cannot be read.
        """
        version, clock = self._version, _Clock()
        named = self._named(version, ask, clock)
        vector: Vectors | None
        suggested: Fractions | None = None
        if ask.picture is not None or ask.crop is not None:
            with clock.of("embedding"):
                picture = picture or self.crop_of(ask)
                vector, suggested = _embedded(version.embedding, picture, suggest=picture.crop is None)
        else:
            vector = named[ask.image_id].vector if ask.image_id is not None else None
        with clock.of("neighbours"):
            query = with_examples(vector, *(_stacked(named, ids) for ids in (ask.like, ask.unlike)))
            if ask.expand:
                first = version.neighbours.find(query, ANSWERS, ask.wanted, vectors=True)
                query = _expanded(query, first)
        wish = self._wish(version, ask, named, picture)
        ranked = self._ranked(version, query, ask, wish, clock)
        crop = picture.crop if picture else None
        note = note_of(ranked, wish)
        return Answers(version.neighbours.version, crop, suggested, ranked.answers, note, Timings(**clock.taken))

    def crop_of(self, ask: Ask) -> QueryPicture:
        """Return the picture of a query, uploaded or stored, or the part of it that is meant, as it is embedded.

        Raises:
            InvalidArgument: the query has no picture, or a crop that does not fit it.
            UnknownImage: the image does not exist, or the asker may not see it.
            RefusedQuery: the picture is not accepted.
            ArtefactError: the lake cannot be read.
        """
        if ask.picture is not None:
            return query_picture(ask.picture, self._limits, ask.crop)
        if ask.image_id is None:
            raise InvalidArgument("crop", "needs a picture or an image to cut: give one of them")
        viewer = ask.wanted.viewer_id
        stored = visible_pictures(self._settings.lake.uri, [ask.image_id], viewer_id=viewer).get(ask.image_id)
        if stored is None:
            raise UnknownImage("image_id", ask.image_id)
        return query_picture(stored.jpeg, self._limits, ask.crop, original=(stored.width, stored.height))

    def look(self, ask: Ask, answer_id: str) -> Look:
        """Return what the model looks at in the picture of a query, or the part of it that is meant, and in an answer.

        Raises:
            UnknownImage: the image or the answer does not exist, or the asker may not see it.
            InvalidArgument: the query has no picture, or a crop that does not fit it.
            RefusedQuery: the picture is not accepted.
            UsageError: the network cannot tell.
            ArtefactError: the model or the lake cannot be read.
        """
        check_ask(ask)
        if ask.picture is None and ask.image_id is None:
            raise InvalidArgument("image", "is missing: give the picture or the image_id that the model looked at")
        query, embedding = self.crop_of(ask), self._version.embedding
        stored = visible_pictures(self._settings.lake.uri, [answer_id], viewer_id=ask.wanted.viewer_id).get(answer_id)
        if stored is None:
            raise UnknownImage("answer_id", answer_id)
        try:
            seen = embedding.look(query.jpeg, stored.jpeg)
        except ValueError as error:
            raise InvalidArgument("image", f"has no vector: {error}; give another picture") from None
        if seen is None:
            raise UsageError(f"the network of the model {embedding.model_version} cannot tell what it looks at")
        return seen

    def facts(self, image_ids: Sequence[str], viewer_id: str | None) -> dict[str, Facts]:
        """Return the facts of those of the images that the viewer may see; None is an anonymous viewer."""
        return {
            image_id: image.facts for image_id, image in self._version.neighbours.known(image_ids, viewer_id).items()
        }

    def random_ids(self, k: int) -> list[str]:
        """Return the ids of `k` random images that everybody may see; all if there are fewer."""
        return self._version.neighbours.random_ids(k)

    def _named(self, version: _Version, ask: Ask, clock: _Clock) -> Mapping[str, StoredImage]:
        """Return the images that a query names, after checking that the asker may see all of them."""
        check_ask(ask)
        groups = {"image_id": () if ask.image_id is None else (ask.image_id,), "like": ask.like, "unlike": ask.unlike}
        ids = [image_id for group in groups.values() for image_id in group]
        if not ids:
            return {}
        with clock.of("neighbours"):
            named = version.neighbours.known(ids, ask.wanted.viewer_id)
        for argument, group in groups.items():
            for image_id in group:
                if image_id not in named:
                    raise UnknownImage(argument, image_id)
        return named

    def _wish(
        self, version: _Version, ask: Ask, named: Mapping[str, StoredImage], picture: QueryPicture | None
    ) -> Wish:
        strangers, share = version.neighbours.strangers, self._settings.serving.strangers_below
        phashes = {image.facts.phash for image in named.values()}
        if ask.crop is not None and ask.image_id is not None:
            phashes.discard(named[ask.image_id].facts.phash)  # what looks like the whole may be an answer to a part
        if picture is not None and picture.phash is not None:
            phashes.add(picture.phash)
        return Wish(
            k=ask.k,
            viewer_id=ask.wanted.viewer_id,
            owner_id=ask.wanted.owner_id,
            sort=ask.sort,
            copies=ask.copies,
            own_ids=frozenset(named),
            own_phashes=frozenset(phashes),
            cut_off=strangers.quantiles.get(share) if strangers and share is not None else None,
        )

    def _ranked(self, version: _Version, query: Vectors, ask: Ask, wish: Wish, clock: _Clock) -> Ranked:
        """Return the ranked answers; the shortlist widens until there are k, or no candidate is missing."""
        limit = max(self._settings.serving.max_shortlist, ask.k)
        depth = min(2 * ask.k + _SPARE, limit)
        while True:
            with clock.of("neighbours"):
                found = version.neighbours.find(query, depth, ask.wanted, vectors=self._ranking.needs_vectors)
            with clock.of("ranking"):
                ranked = self._ranking.rank(found, wish)
            whole = len(found) < depth or depth == limit
            if len(ranked.answers) >= ask.k or whole or _ends_dissimilar(found, wish):
                return ranked
            depth = min(_WIDER * depth, limit)


def _embedded(embedding: Embedding, picture: QueryPicture, *, suggest: bool) -> tuple[Vectors, Fractions | None]:
    try:
        if suggest:
            return embedding.embed_and_suggest(picture.jpeg)
        return np.asarray(embedding.embed([picture.jpeg])[0]), None
    except ValueError as error:
        raise InvalidArgument("image", f"has no vector: {error}; give another picture") from None


def _expanded(query: Vectors, first: Sequence[Candidate]) -> Vectors:
    vectors = [candidate.vector for candidate in first if candidate.vector is not None]
    if not vectors:
        return query
    cosines = np.array([candidate.cosine for candidate in first], dtype=np.float32)
    return expanded(query, np.stack(vectors), cosines)


def _stacked(named: Mapping[str, StoredImage], ids: Sequence[str]) -> Vectors:
    return np.array([named[image_id].vector for image_id in ids], dtype=np.float32)


def _ends_dissimilar(found: Sequence[Candidate], wish: Wish) -> bool:
    """Whether candidates after the last one would be below the cut-off too."""
    return wish.cut_off is not None and found[-1].cosine < wish.cut_off
