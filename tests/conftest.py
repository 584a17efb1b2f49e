"""One Spark session for the suite, and settings that are small."""

from pathlib import Path

import pytest

from vsearch_lib.config import Settings, load_settings
from vsearch_lib.lake import Lake, start_session


@pytest.fixture(scope="session")
def spark(tmp_path_factory):
    folder = tmp_path_factory.mktemp("spark")
    session = start_session(load_settings("demo", [f"var={folder}"]), "tests")
    yield session
    session.stop()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings("demo", [f"var={tmp_path}"])


@pytest.fixture
def lake(spark, tmp_path: Path) -> Lake:
    return Lake(spark, str(tmp_path / "lake"), "run-1")
