"""Landed files for tests."""

import gzip
import json
from collections.abc import Sequence
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def write_lines():
    """Write objects as JSON lines to a file, compressed if its name ends in .gz, and return the file."""

    def write(file: Path, objects: Sequence[object]) -> Path:
        file.parent.mkdir(parents=True, exist_ok=True)
        text = "".join(f"{o if isinstance(o, str) else json.dumps(o, ensure_ascii=False)}\n" for o in objects)
        opener = gzip.open if file.name.endswith(".gz") else open
        with opener(file, "wt", encoding="utf-8") as sink:
            sink.write(text)
        return file

    return write
