"""Fixtures of the HTTP tests: a published catalogue, and clients of an application that serves it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from starlette.testclient import TestClient

from tests.support import served_catalogue
from tests.support.served_catalogue import Served
from vsearch_lib.config import Settings
from vsearch_lib.serving.http.app import create_app
from vsearch_lib.serving.search_service import SearchService


@pytest.fixture(scope="session")
def served(tmp_path_factory) -> Served:
    """A catalogue that no test changes."""
    return served_catalogue.catalogue(tmp_path_factory.mktemp("served"))


@pytest.fixture(scope="session")
def service(served) -> SearchService:
    """A service that no test refreshes to another version."""
    return SearchService.open(served.settings)


def with_serving(settings: Settings, **serving) -> Settings:
    """Settings with other values in the section `serving`."""
    return settings.model_copy(update={"serving": settings.serving.model_copy(update=serving)})


@pytest.fixture
def client_of(tmp_path) -> Iterator[Callable[..., TestClient]]:
    """Make clients; each has an application of its own, whose feedback lands below `tmp_path`."""
    with ExitStack() as closing:

        def made(service, settings: Settings, *, keys=(), **serving) -> TestClient:
            landing = settings.landing.model_copy(update={"uri": str(tmp_path / "landing")})
            settings = with_serving(settings, **serving).model_copy(update={"landing": landing})
            app = create_app(service, settings, keys=keys)
            return closing.enter_context(TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False))

        yield made


@pytest.fixture
def client(client_of, service, served) -> TestClient:
    """A client of the catalogue that no test changes."""
    return client_of(service, served.settings)
