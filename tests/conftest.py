"""One Spark session for the suite, settings that are small, and a small index for its makers and readers."""

import importlib.util
from pathlib import Path
from types import ModuleType

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


@pytest.fixture(scope="session")
def small_index() -> ModuleType:
    """The module `tests/index/small_index.py`: catalogues, shards, manifests."""
    path = Path(__file__).parent / "index" / "small_index.py"
    spec = importlib.util.spec_from_file_location("small_index", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
