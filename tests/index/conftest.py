"""The small index for tests here; tests of its readers load it from this folder too."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def small_index() -> ModuleType:
    """The module `small_index`: catalogues, shards, manifests."""
    spec = importlib.util.spec_from_file_location("small_index", Path(__file__).parent / "small_index.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
