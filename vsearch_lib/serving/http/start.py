"""`vsearch serve`: opens what a service needs, and answers requests until it is interrupted."""

import os
import webbrowser
from collections.abc import Callable
from functools import partial
from typing import Literal

from fastapi import FastAPI

from vsearch_lib.artefact.manifest import ModelEntry
from vsearch_lib.artefact.pointer import current_manifest, read_version
from vsearch_lib.config import Settings
from vsearch_lib.errors import ArtefactError, UsageError
from vsearch_lib.serving.embedding import LocalEmbedding
from vsearch_lib.serving.http.access import api_keys
from vsearch_lib.serving.http.app import create_app
from vsearch_lib.serving.http.embedding_app import Models, embedding_app
from vsearch_lib.serving.http.neighbours_app import OpenVersions, neighbours_app
from vsearch_lib.serving.http.remote import RemoteEmbedding, RemoteNeighboursSource, RemoteService
from vsearch_lib.serving.http.server import bound_socket, run, url_of
from vsearch_lib.serving.live import LiveIndex
from vsearch_lib.serving.neighbours import LocalNeighboursSource, NeighboursSource, PinnedNeighboursSource
from vsearch_lib.serving.ranking import RuleRanking
from vsearch_lib.serving.search_service import SearchService
from vsearch_lib.storage import open_store
from vsearch_lib.terminal import say

Name = Literal["all", "embedding", "neighbours", "ranking"]


def serve(settings: Settings, *, host: str, port: int, service: Name, open_page: bool) -> None:
    """Answer requests until the process is interrupted.

    Raises:
        InvalidArgument: the port is taken, or the host is not allowed.
        UsageError: a setting or a key is not allowed.
        ArtefactError: nothing is published, or what is published does not verify.
    """
    keys = api_keys(os.environ)
    bound = bound_socket(host, port, has_keys=bool(keys))
    try:
        app, what = _OPENED[service](settings, keys)
    except BaseException:
        bound.close()
        raise

    def ready() -> None:
        say(f"{url_of(bound)} serves {what}; Ctrl-C ends it")
        if open_page:
            webbrowser.open(url_of(bound))

    run(app, bound, settings.serving, ready=ready)


def search_service(settings: Settings, *, keys: tuple[bytes, ...] = (), version: str | None = None) -> SearchService:
    """Return a search service that calls the services that `serving` names URLs of, and runs the others itself.

    It follows the published version, unless a `version` is named.

    Raises:
        ServiceUnavailable: a service does not answer.
        ArtefactError: the index that is searched in this process is missing or does not verify.
    """
    serving = settings.serving

    def remote(name: str, url: str) -> RemoteService:
        return RemoteService(name, url, seconds=serving.request_seconds, keys=keys)

    threads = len(os.sched_getaffinity(0))
    source: NeighboursSource
    if serving.neighbours_url is not None:
        source = RemoteNeighboursSource(remote("neighbours", serving.neighbours_url), version)
    elif version is not None:
        source = PinnedNeighboursSource(settings.index.uri, version, cache=settings.cache)
    else:
        source = LocalNeighboursSource(LiveIndex(settings.index.uri, cache=settings.cache))
    if serving.embedding_url is None:
        return SearchService(settings, source, lambda m: LocalEmbedding(m, threads=threads), RuleRanking(serving))
    embedding = remote("embedding", serving.embedding_url)
    return SearchService(settings, source, lambda model: RemoteEmbedding(embedding, model), RuleRanking(serving))


def _front(service: SearchService, settings: Settings, keys: tuple[bytes, ...]) -> tuple[FastAPI, str]:
    service.load()
    version = settings.serving.canary.version

    def canary() -> SearchService:
        opened = search_service(settings, keys=keys, version=version)
        opened.load()
        return opened

    open_canary = None if version is None else canary
    return create_app(service, settings, keys=keys, open_canary=open_canary), f"version {service.version}"


def _all(settings: Settings, keys: tuple[bytes, ...]) -> tuple[FastAPI, str]:
    return _front(SearchService.open(settings), settings, keys)


def _ranking(settings: Settings, keys: tuple[bytes, ...]) -> tuple[FastAPI, str]:
    if settings.serving.embedding_url is None and settings.serving.neighbours_url is None:
        raise UsageError(
            "serving.embedding_url and serving.neighbours_url are null: set one, or run all services in one"
        )
    return _front(search_service(settings, keys=keys), settings, keys)


def _neighbours(settings: Settings, keys: tuple[bytes, ...]) -> tuple[FastAPI, str]:
    uri, cache, canary = settings.index.uri, settings.cache, settings.serving.canary.version
    openable = {} if canary is None else {canary: partial(PinnedNeighboursSource, uri, canary, cache=cache)}
    versions = OpenVersions(LocalNeighboursSource(LiveIndex(uri, cache=cache)), openable)
    return neighbours_app(versions, settings, keys=keys), f"neighbours of version {versions.latest().version}"


def _embedding(settings: Settings, keys: tuple[bytes, ...]) -> tuple[FastAPI, str]:
    store, threads = open_store(settings.index.uri), len(os.sched_getaffinity(0))

    def published() -> ModelEntry:
        manifest = current_manifest(store)
        if manifest is None:
            raise ArtefactError(f"nothing is published at {settings.index.uri}: run vsearch run nightly first")
        return manifest.model

    def canary() -> ModelEntry | None:
        version = settings.serving.canary.version
        return None if version is None else read_version(store, version).model

    models = Models(published, lambda entry: LocalEmbedding(entry, threads=threads), canary)
    return embedding_app(models, settings, keys=keys), f"embeddings of model {models.latest}"


_OPENED: dict[Name, Callable[[Settings, tuple[bytes, ...]], tuple[FastAPI, str]]] = {
    "all": _all,
    "embedding": _embedding,
    "neighbours": _neighbours,
    "ranking": _ranking,
}
