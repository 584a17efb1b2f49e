"""A small demo catalogue, written once for all tests of this folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from vsearch_lib.demo import CatalogueSummary, write_catalogue


@dataclass(frozen=True)
class Written:
    """A catalogue on disk, its summary, and the progress that was reported."""

    root: Path
    summary: CatalogueSummary
    progress: list[tuple[int, int]]


@pytest.fixture(scope="session")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Written:
    root = tmp_path_factory.mktemp("demo") / "not" / "there" / "yet"
    progress: list[tuple[int, int]] = []
    summary = write_catalogue(root, images=40, seed=5, progress=lambda done, total: progress.append((done, total)))
    return Written(root, summary, progress)
