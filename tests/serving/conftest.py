"""The small index of tests/index, for its readers."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def small_index() -> ModuleType:
    """The module `tests/index/small_index.py`: catalogues, shards, manifests."""
    path = Path(__file__).parents[1] / "index" / "small_index.py"
    spec = importlib.util.spec_from_file_location("small_index", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
